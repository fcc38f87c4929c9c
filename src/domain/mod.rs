//! What the product decides: pure, without I/O, clock, randomness, locks or statics.
//!
//! Reading order: [`event`] (what comes in), [`turn`] (inputs and outputs of the engine), [`reason`] (why an event
//! ended as it did), [`policy`] and [`judgement`] (the rules and the constants), then [`engine`].

pub mod alarm;
mod alert;
pub mod budget;
mod check;
mod company;
mod component;
pub mod daybook;
pub mod decision;
pub mod digest;
pub mod duration;
pub mod engine;
pub mod event;
pub mod explain;
pub mod fingerprint;
mod heartbeat;
mod incident;
pub mod inhibition;
pub mod interval;
pub mod judgement;
mod ledger;
mod level;
pub mod maintenance;
pub mod mask;
pub mod matcher;
pub mod notification;
pub mod opinion;
pub mod policy;
pub mod position;
pub mod posting;
pub mod reason;
mod remembered;
pub mod rotation;
pub mod route;
mod series;
pub mod shadow;
pub mod signal;
pub mod silence;
mod source;
mod sparse;
mod stage;
mod symptom;
mod table;
pub mod template;
pub mod time;
mod timers;
pub mod topology;
pub mod turn;
mod watch;
pub mod zone;

pub use alarm::Alarms;
pub use budget::Budget;
pub use daybook::Extract;
pub use decision::{
    Decision, Evidence, IncidentId, IncidentSummary, Moment, Notice, NoticeAction, Origin, Page, PageAction, Verdict,
};
pub use digest::DigestRule;
pub use engine::{Engine, RestoreError};
pub use event::Event;
pub use explain::{Candidate, HeldBack, IncidentExplanation, Said, SeriesExplanation, SourceView, Tally};
pub use fingerprint::Fingerprint;
pub use interval::Interval;
pub use judgement::{Judgement, Sensitivity};
pub use matcher::Matcher;
pub use notification::{Content, Dispatch, Image, Notification, NotificationKey, Reminder};
pub use opinion::Opinion;
pub use policy::Policy;
pub use position::{Mark, Partition, Positions};
pub use posting::{Posted, PostedText, Posting};
pub use reason::{Outcome, Reason};
pub use rotation::Rotation;
pub use route::Route;
pub use signal::{Kind, Severity, Status};
pub use silence::{LooksAt, Silence};
pub use stage::detector::{Constants as DetectorConstants, Detector};
pub use time::Timestamp;
pub use topology::Topology;
pub use turn::{Change, Input, Turn};
pub use zone::Zone;
