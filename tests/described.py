"""What `tests/described.sh` tells schemathesis: messages of Protocol Buffers are bytes."""

import schemathesis

schemathesis.serializer.alias("application/x-protobuf", "application/octet-stream")
