//! Amazon CloudWatch alarms through SNS: the envelope of HTTPS subscriptions, of Lambda records, or none (raw delivery).
//!
//! Deliberately without the signature of SNS ([`super::sns`]) and without network: whoever has both looks at a body before it
//! comes here. Without them a subscription is confirmed by a person, who is told the address to open.

use serde_json::Value;

use crate::domain::{Event, Kind, Severity, Status};

use super::document::{Document, rejected};
use super::{Body, Format, FormatError, Parsed, Rejected, Warning, sns};

pub(super) const FORMAT: Format = Format {
    name: sns::TOOL,
    title: "Amazon CloudWatch: alarms through an SNS topic",
    setup: "SNS > Subscriptions: HTTPS endpoint /ingest/cloudwatch-sns/SECRET; GET /ingest shows the address that confirms it",
    signature: None,
    parse,
};

const HELP: &str = "SNS posts {\"Type\": \"Notification\", \"Message\": \"{\\\"AlarmName\\\": …}\"}";

fn parse(body: &Body<'_>) -> Result<Parsed, FormatError> {
    let mut document = Document::read(body.bytes, FORMAT.name, HELP)?;
    let mut parsed = Parsed::default();
    let mut index = 0;
    let mut records = Vec::new();
    while let Some(record) = document.part(&format!("/Records/{}/Sns", records.len())) {
        records.push(record);
    }
    if records.is_empty() {
        records.push(document);
    }
    for envelope in records {
        match message(&envelope, index, &mut parsed)? {
            Some(Ok(event)) => parsed.keep(index, Event { received: Some(body.received), ..event }),
            Some(Err(bad)) => parsed.reject(Rejected { index, ..bad }),
            None => {}
        }
        index += 1;
    }
    Ok(parsed)
}

/// What one envelope says; `None` = nothing to judge, which is told.
fn message(
    envelope: &Document,
    index: usize,
    parsed: &mut Parsed,
) -> Result<Option<Result<Event, Rejected>>, FormatError> {
    match envelope.text(&["/Type"]).as_deref() {
        Some("SubscriptionConfirmation") => {
            confirmation(envelope, index, parsed);
            return Ok(None);
        }
        Some("UnsubscribeConfirmation") => {
            let message = "the subscription of this topic has ended: no more alarms will come";
            parsed.tell(index, "Type", message.to_owned());
            return Ok(None);
        }
        _ => {}
    }
    if envelope.at("/AlarmName").is_some() {
        return Ok(Some(alarm(envelope, envelope)));
    }
    let Some(text) = envelope.owned(&["/Message"]) else {
        return Err(FormatError::new(FORMAT.name, "the body is neither an SNS message nor an alarm", HELP));
    };
    match Document::read(text.as_bytes(), FORMAT.name, HELP) {
        Ok(inner) if inner.at("/AlarmName").is_some() => Ok(Some(alarm(&inner, envelope))),
        _ => {
            let message = "the message is no alarm of CloudWatch: left out";
            parsed.warn(Warning::new(index, "Message", message));
            Ok(None)
        }
    }
}

/// A person must open the address; it is only shown when it leads to Amazon.
fn confirmation(envelope: &Document, index: usize, parsed: &mut Parsed) {
    let topic = envelope.owned(&["/TopicArn"]).unwrap_or_default();
    let url = envelope.owned(&["/SubscribeURL"]).unwrap_or_default();
    let message = if sns::region(&url).is_some() {
        format!("SNS asks to confirm the subscription of {topic}: open {url} once")
    } else {
        format!("a body asks to confirm a subscription of {topic} at an address that is not Amazon's: do not open it")
    };
    parsed.tell(index, "SubscribeURL", message);
}

fn alarm(alarm: &Document, envelope: &Document) -> Result<Event, Rejected> {
    let name = alarm.owned(&["/AlarmName"]).unwrap_or_default();
    let state = alarm.owned(&["/NewStateValue"]).unwrap_or_default();
    let status = match state.as_str() {
        "ALARM" => Status::Firing,
        "OK" => Status::Resolved,
        "INSUFFICIENT_DATA" => Status::NoData,
        _ => {
            let shown: String = state.chars().take(60).collect();
            let help = "known: ALARM, OK, INSUFFICIENT_DATA";
            return Err(rejected("Message.NewStateValue", format!("`{shown}` is no state of an alarm"), help));
        }
    };
    let reason = alarm.owned(&["/NewStateReason"]).unwrap_or_default();
    let arn = alarm.owned(&["/AlarmArn"]).or_else(|| envelope.owned(&["/TopicArn"])).unwrap_or_default();
    let region = arn.split(':').nth(3).filter(|region| !region.is_empty());
    let mut event = Event {
        ts: alarm.time(&["/StateChangeTime"]).or_else(|| envelope.time(&["/Timestamp"])),
        kind: Kind::Other,
        severity: Severity::Error,
        status,
        value: datapoint(&reason),
        threshold: alarm.at("/Trigger/Threshold").and_then(Value::as_f64),
        unit: alarm.owned(&["/Trigger/Unit"]),
        summary: Some(format!("{name}: {reason}")),
        identity: Some(alarm.owned(&["/AlarmArn"]).unwrap_or_else(|| {
            format!("{}/{}/{name}", alarm.text(&["/AWSAccountId"]).unwrap_or_default(), region.unwrap_or_default())
        })),
        url: region.map(|region| {
            let name = name.replace(' ', "+");
            format!("https://{region}.console.aws.amazon.com/cloudwatch/home?region={region}#alarmsV2:alarm/{name}")
        }),
        ..Event::new(FORMAT.name, name)
    };
    alarm.label(
        &mut event,
        &[
            ("/Region", "region"),
            ("/AWSAccountId", "account"),
            ("/AlarmDescription", "description"),
            ("/OldStateValue", "old_state"),
            ("/Trigger/MetricName", "metric"),
            ("/Trigger/Namespace", "namespace"),
        ],
    );
    dimensions(alarm, &mut event);
    Ok(event)
}

/// Dimensions that name a host; the others of these name a service.
const HOSTS: &[&str] = &["InstanceId", "Host", "HostName", "NodeId", "DBInstanceIdentifier", "CacheNodeId"];
const SERVICES: &[&str] = &[
    "ServiceName",
    "FunctionName",
    "LoadBalancer",
    "LoadBalancerName",
    "QueueName",
    "ApiName",
    "DBClusterIdentifier",
    "ClusterName",
    "AutoScalingGroupName",
    "TableName",
    "CacheClusterId",
    "TopicName",
    "StateMachineArn",
    "DistributionId",
];

/// What the metric is of, also of each metric of an alarm on an expression.
fn dimensions(alarm: &Document, event: &mut Event) {
    let metrics = alarm.at("/Trigger/Metrics").and_then(Value::as_array);
    let of_metrics = metrics.into_iter().flatten().filter_map(|metric| metric.pointer("/MetricStat/Metric/Dimensions"));
    let all = alarm.at("/Trigger/Dimensions").into_iter().chain(of_metrics).filter_map(Value::as_array).flatten();
    for dimension in all {
        let text = |lower: &str, upper: &str| dimension.get(lower).or_else(|| dimension.get(upper))?.as_str();
        let (Some(name), Some(value)) = (text("name", "Name"), text("value", "Value")) else { continue };
        if HOSTS.contains(&name) && event.host.is_none() {
            event.host = Some(value.to_owned());
        } else if SERVICES.contains(&name) && event.service.is_none() {
            event.service = Some(value.to_owned());
        }
        event.labels.entry(name.to_owned()).or_insert_with(|| value.to_owned());
    }
}

/// The newest datapoint, which only the reason says: `… [97.2 (12/11/26 10:00:00)] was greater than …`.
fn datapoint(reason: &str) -> Option<f64> {
    reason.match_indices('[').find_map(|(at, _)| {
        let number = reason[at + 1..].split([' ', ',', ']']).next()?;
        number.parse().ok().filter(|value: &f64| value.is_finite())
    })
}
