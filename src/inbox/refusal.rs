//! Why something was not taken or not done.

/// Why something was not taken or not done. The sender may try again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The queue is full.
    #[error("{waiting} events are waiting to be judged, and no more fit")]
    Full {
        /// Events that wait.
        waiting: usize,
    },
    /// A backup cannot be written now.
    #[error("there is no backup: {0}")]
    Backup(String),
    /// What came cannot be made durable now.
    #[error("new events cannot be stored: {0}")]
    Storage(String),
    /// The judge failed and rests; alerts are paged as they come meanwhile.
    #[error("the judge failed and is being restarted")]
    Judge,
    /// The log of the cluster does not take it now.
    #[error("the log of the cluster cannot be written: {0}")]
    Log(String),
    /// This node does not hold what is asked for.
    #[error("{0}")]
    Elsewhere(&'static str),
    /// Nobody whom a question concerns answers it.
    #[error("nobody answers for the {0}")]
    Silent(String),
    /// Squelch is stopping.
    #[error("squelch is stopping")]
    Stopping,
}

impl Refusal {
    /// Why something that needs the engine itself cannot be had in a cluster.
    pub const NOT_HERE: &'static str = "this is a node of a cluster, and this is not to be had from a cluster yet: \
                                        docs/CLUSTER.md says what is missing";
}
