"""A real SMTP server for one test: STARTTLS and AUTH are required. Ends when its standard input does.

Usage: real_smtp.py CERTIFICATE KEY USER PASSWORD. Prints its port, then one JSON line for each mail.
"""
import json
import socket
import ssl
import sys
from email import message_from_bytes, policy

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult


class Handler:
    async def handle_DATA(self, server, session, envelope):
        mail = message_from_bytes(envelope.content, policy=policy.default)
        leaves = [part for part in mail.walk() if not part.is_multipart()]
        parts = {part.get_content_type(): part.get_content() for part in leaves}
        images = [part for part in leaves if part.get_content_type() == "image/png"]
        print(json.dumps({
            "tls": session.ssl is not None,
            "login": session.authenticated,
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "headers": {name: str(value) for name, value in mail.items()},
            "defects": [str(defect) for defect in mail.defects],
            "text": parts.get("text/plain"),
            "html": parts.get("text/html"),
            "shape": [part.get_content_type() for part in mail.walk() if part.get_content_type() != "image/png"],
            "images": [part["Content-ID"] for part in images if part.get_content().startswith(b"\x89PNG\r\n")],
            "inline": all(part.get_content_disposition() == "inline" for part in images),
        }), flush=True)
        return "250 taken"


certificate, key, user, password = sys.argv[1:]


def authenticate(server, session, envelope, mechanism, data):
    right = data.login == user.encode() and data.password == password.encode()
    return AuthResult(success=right, handled=False)


context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(certificate, key)
with socket.socket() as free:
    free.bind(("127.0.0.1", 0))
    port = free.getsockname()[1]
controller = Controller(
    Handler(), hostname="127.0.0.1", port=port, tls_context=context, require_starttls=True,
    authenticator=authenticate, auth_required=True, auth_require_tls=True,
)
controller.start()
print(port, flush=True)
sys.stdin.read()
controller.stop()
