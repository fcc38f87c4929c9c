//! vmalert: Prometheus' array of alerts, under its own name. `endsAt` is absent while an alert fires.

use super::{Format, prometheus};

pub(super) const FORMAT: Format = Format {
    name: "vmalert",
    title: "vmalert of VictoriaMetrics: alerts as posted to /api/v2/alerts",
    setup: "-notifier.url=http://HOST:9393/ingest/vmalert",
    signature: None,
    parse: |body| prometheus::parse_as(FORMAT.name, body),
};
