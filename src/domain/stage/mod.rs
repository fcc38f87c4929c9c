//! The stages of the judgement: each a piece of state that a series, check or component holds, and pure functions
//! on it. Stages do not know one another; the engine calls them in order.

pub(crate) mod burst;
pub(crate) mod detector;
pub(crate) mod duration;
pub(crate) mod feedback;
pub(crate) mod flap;
pub(crate) mod forget;
pub(crate) mod meter;
pub(crate) mod surprise;
pub(crate) mod trend;
pub(crate) mod usual;
pub(crate) mod value;
