//! The closed vocabularies of a raw signal: its kind, severity and status.

/// Declares a closed vocabulary: an enum, its words, and its parser, from one list.
macro_rules! vocabulary {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        pub enum $name { $($(#[$variant_doc])* $variant,)+ }

        impl $name {
            /// Every value, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The word used in files, JSON and on the wire.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.word())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::domain::signal::UnknownWord;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::ALL.iter().copied().find(|value| value.word() == text).ok_or($crate::domain::signal::UnknownWord)
            }
        }
    };
}
pub(crate) use vocabulary;

/// The text is none of the vocabulary's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown word")]
pub struct UnknownWord;

vocabulary! {
    /// What sort of thing speaks.
    Kind {
        /// A machine, pod or container: cpu, memory, disk.
        Host = "host",
        /// A service measured from inside: error rate, latency.
        Apm = "apm",
        /// An exception tracker.
        Exception = "exception",
        /// A probe from outside.
        Uptime = "uptime",
        /// A deploy, a configuration change, a replaced instance: never pages by itself.
        Change = "change",
        /// Anything else.
        Other = "other",
    }
}

vocabulary! {
    /// How bad the sender says it is, least first.
    Severity {
        /// For the record.
        Info = "info",
        /// Look when there is time.
        Warning = "warning",
        /// Something failed.
        Error = "error",
        /// People are hurt now.
        Critical = "critical",
    }
}

vocabulary! {
    /// What the signal says about its alert.
    Status {
        /// The problem is there (again).
        Firing = "firing",
        /// The problem is over.
        Resolved = "resolved",
        /// A person has taken it, at the sender.
        Acknowledged = "acknowledged",
        /// The check itself cannot see.
        NoData = "nodata",
        /// One occurrence that never resolves: an exception, a deploy.
        Event = "event",
        /// A measured value that is no alert; it only feeds the baselines.
        Sample = "sample",
    }
}
