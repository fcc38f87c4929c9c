//! An order: a change that a person or a courier asks for.

use std::sync::Arc;

use crate::domain::alarm::Drill;
use crate::domain::{Dispatch, IncidentId, NotificationKey, Opinion, Policy, Silence};

/// A change that a person or a courier asks for. It is answered when it is durable.
#[derive(Debug)]
pub enum Order {
    /// A person has taken an incident.
    Acknowledge(IncidentId, String),
    /// A person declares an incident to be over.
    Resolve(IncidentId, String),
    /// A person says whether an incident was worth a page, or takes that back.
    Feedback(IncidentId, Opinion, String),
    /// A person says that the part of an incident which is about this service or host is another trouble.
    Split(IncidentId, String, String),
    /// A person sets, changes or ends a silence.
    Silence(Silence),
    /// A person turns shadow mode on or off.
    Shadow(bool, String),
    /// New rules are in force.
    Policy(Arc<Policy>),
    /// A receiver took a notification.
    Delivered(NotificationKey),
    /// A notification was not taken in time, for this reason; it is tried on.
    Overdue(NotificationKey, String),
    /// A notification was given up, for this reason.
    Undeliverable(NotificationKey, String),
    /// A digest was put together.
    Digest(Box<Dispatch>),
    /// A marked test page.
    Drill(Drill),
    /// Squelch itself is in trouble: a title, what it means and what to do.
    Trouble(String, String),
    /// The trouble of this title is over.
    TroubleOver(String),
}
