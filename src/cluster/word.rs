//! Orders as they stand in the log: what people and couriers say, beside the events.
//!
//! Pure. Numbers of incidents are those that everybody outside knows ([`super::place`]).

use serde::{Deserialize, Serialize};

use super::dispatched;
use super::place::Seat;
use super::rules::RuleFiles;
use crate::domain::alarm::Drill;
use crate::domain::{Dispatch, IncidentId, NotificationKey, Opinion, Silence};
use crate::inbox::Order;

/// An order in the log. It is written as JSON.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "order", rename_all = "snake_case")]
pub enum Word {
    /// A person has taken an incident.
    Acknowledge {
        /// Which.
        incident: IncidentId,
        /// Who.
        by: String,
    },
    /// A person declares an incident to be over.
    Resolve {
        /// Which.
        incident: IncidentId,
        /// Who.
        by: String,
    },
    /// A person says whether a page was worth it, or takes that back.
    Feedback {
        /// Which.
        incident: IncidentId,
        /// What is said.
        opinion: Opinion,
        /// Who.
        by: String,
    },
    /// A person says that a part of an incident is another trouble.
    Split {
        /// Which.
        incident: IncidentId,
        /// The service or host.
        part: String,
        /// Who.
        by: String,
    },
    /// A receiver took a notification.
    Delivered {
        /// Which.
        key: NotificationKey,
    },
    /// A notification was not taken in time; it is tried on.
    Overdue {
        /// Which.
        key: NotificationKey,
        /// Why.
        why: String,
    },
    /// A notification was given up.
    Undeliverable {
        /// Which.
        key: NotificationKey,
        /// Why.
        why: String,
    },
    /// A marked test page.
    Drill {
        /// What it is to do.
        drill: Drill,
    },
    /// Squelch itself is in trouble.
    Trouble {
        /// What it is called.
        title: String,
        /// What it means and what to do.
        why: String,
    },
    /// A trouble is over.
    TroubleOver {
        /// What it is called.
        title: String,
    },
    /// A digest of all scopes was put together.
    Digest {
        /// It.
        #[serde(with = "dispatched")]
        dispatch: Box<Dispatch>,
    },
    /// A person sets, changes or ends a silence, in all scopes.
    Silence {
        /// The silence.
        silence: Silence,
    },
    /// These rules are in force, in all scopes.
    Rules {
        /// The files.
        files: RuleFiles,
    },
}

/// To whom a word goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum To {
    /// To the scope of this seat.
    Seat(Seat),
    /// To the scope of what is about Squelch itself.
    Own,
    /// To all scopes, in every partition.
    All,
}

impl Word {
    /// The word for an order of this process; `None` = a cluster has none for it.
    #[must_use]
    pub fn of(order: Order) -> Option<Self> {
        Some(match order {
            Order::Acknowledge(incident, by) => Self::Acknowledge { incident, by },
            Order::Resolve(incident, by) => Self::Resolve { incident, by },
            Order::Feedback(incident, opinion, by) => Self::Feedback { incident, opinion, by },
            Order::Split(incident, part, by) => Self::Split { incident, part, by },
            Order::Silence(silence) => Self::Silence { silence },
            Order::Delivered(key) => Self::Delivered { key },
            Order::Overdue(key, why) => Self::Overdue { key, why },
            Order::Undeliverable(key, why) => Self::Undeliverable { key, why },
            Order::Drill(drill) => Self::Drill { drill },
            Order::Trouble(title, why) => Self::Trouble { title, why },
            Order::TroubleOver(title) => Self::TroubleOver { title },
            Order::Digest(dispatch) => Self::Digest { dispatch },
            // Rules go through the log as files, and shadow mode with them.
            Order::Policy(_) | Order::Shadow(..) => return None,
        })
    }

    /// To whom it goes.
    #[must_use]
    pub fn to(&self) -> To {
        match self {
            Self::Acknowledge { incident, .. }
            | Self::Resolve { incident, .. }
            | Self::Feedback { incident, .. }
            | Self::Split { incident, .. } => To::Seat(Seat::inside(*incident).0),
            Self::Delivered { key } | Self::Overdue { key, .. } | Self::Undeliverable { key, .. } => {
                To::Seat(Seat::inside(key.incident).0)
            }
            Self::Drill { .. } | Self::Trouble { .. } | Self::TroubleOver { .. } | Self::Digest { .. } => To::Own,
            Self::Silence { .. } | Self::Rules { .. } => To::All,
        }
    }
}
