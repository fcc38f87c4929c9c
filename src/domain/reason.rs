//! Why an event ended as it did: a closed list, so that page, digest, metrics and tests all explain alike.
//!
//! Deliberately no `Other`: a decision without a name of its own is a decision nobody can explain.

use super::signal::vocabulary;

vocabulary! {
    /// What finally became of an event. Exactly one for every accepted event that is no sample.
    Outcome {
        /// Part of a page: a person was interrupted for it.
        Page = "page",
        /// Joined to an incident that had paged already.
        Join = "join",
        /// Held back, with a reason and its numbers.
        Suppress = "suppress",
        /// Nothing to decide: a resolve, a change, an acknowledgement.
        Record = "record",
    }
}

vocabulary! {
    /// The reason of an outcome.
    Reason {
        // page
        /// Fresh surprise on one component passed the threshold.
        Surge = "surge",
        /// It lasts longer than such alerts do.
        Outlived = "outlived",
        /// It got critical where people know of less, and stays so.
        Worse = "worse",
        /// It flapped longer than is normal for it, and worsened or spread.
        FlappingLasts = "flapping_lasts",
        /// It stopped flapping in a bad state.
        FlappingEndedBad = "flapping_ended_bad",
        /// A rule says `page: always`.
        Always = "always",
        /// A heartbeat stays out, or a source that usually speaks fell silent.
        Silent = "silent",
        /// The judgement itself failed, so it fails open.
        JudgeFailed = "judge_failed",
        // join
        /// Its component has an open incident.
        OpenIncident = "open_incident",
        /// It surged together with a related component whose incident is young.
        Related = "related",
        /// The same origin paged lately, and this is nothing new.
        SameOrigin = "same_origin",
        // suppress
        /// Its series is flapping.
        Flapping = "flapping",
        /// It resolved by itself within its hold.
        Transient = "transient",
        /// It is no more than this series, check and hour usually show.
        Ordinary = "ordinary",
        /// It repeats an alert that is firing already, at the same or a lower severity.
        Duplicate = "duplicate",
        /// A person's silence covers it.
        Silenced = "silenced",
        /// Another alert that is firing inhibits it.
        Inhibited = "inhibited",
        /// Its severity is below what may page.
        BelowSeverity = "below_severity",
        /// It came too late to matter.
        Late = "late",
        /// A rule says `page: never`.
        Never = "never",
        /// It would have paged, and a page budget withheld that.
        Budget = "budget",
        // record
        /// It resolves an alert.
        Resolved = "resolved",
        /// It resolves nothing that was known to fire.
        NothingToResolve = "nothing_to_resolve",
        /// A change: kept as a suspect, never paged by itself.
        Change = "change",
        /// A person acknowledged it at the sender.
        Acknowledged = "acknowledged",
        /// It is a heartbeat: it tells that its sender is alive.
        Heartbeat = "heartbeat",
        /// The check itself cannot see.
        NoData = "no_data",
        // page; at the end, because records hold reasons by their place
        /// It is on, and its value reaches the end of its scale soon.
        NearsLimit = "nears_limit",
    }
}

impl Reason {
    /// The outcome that this reason belongs to.
    #[must_use]
    pub const fn outcome(self) -> Outcome {
        match self {
            Self::Surge
            | Self::Outlived
            | Self::Worse
            | Self::FlappingLasts
            | Self::FlappingEndedBad
            | Self::Always
            | Self::Silent
            | Self::NearsLimit
            | Self::JudgeFailed => Outcome::Page,
            Self::OpenIncident | Self::Related | Self::SameOrigin => Outcome::Join,
            Self::Flapping
            | Self::Transient
            | Self::Ordinary
            | Self::Duplicate
            | Self::Silenced
            | Self::Inhibited
            | Self::BelowSeverity
            | Self::Late
            | Self::Never
            | Self::Budget => Outcome::Suppress,
            Self::Resolved
            | Self::NothingToResolve
            | Self::Change
            | Self::Acknowledged
            | Self::Heartbeat
            | Self::NoData => Outcome::Record,
        }
    }

    /// What it means, as the end of a sentence: "it was held back because …".
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Surge => "fresh surprise on its component passed the threshold",
            Self::Outlived => "it lasts longer than such alerts do",
            Self::Worse => "it got critical where people know of less, and stays so",
            Self::FlappingLasts => "it has flapped for longer than is normal, and it worsened or spread",
            Self::FlappingEndedBad => "it stopped flapping in a bad state",
            Self::Always => "a rule says that it always pages",
            Self::Silent => "what should speak is silent",
            Self::NearsLimit => "at this pace its value reaches the end of its scale soon",
            Self::JudgeFailed => "the judgement itself failed, and what cannot be judged is paged",
            Self::OpenIncident => "its component has an open incident",
            Self::Related => "it surged together with a related component whose incident is young",
            Self::SameOrigin => "the same origin paged lately and this is nothing new",
            Self::Flapping => "its series is flapping",
            Self::Transient => "it resolved by itself within its hold",
            Self::Ordinary => "it is no more than this series, check and hour usually show",
            Self::Duplicate => "it repeats what is firing already",
            Self::Silenced => "a silence covers it",
            Self::Inhibited => "another alert that is firing inhibits it",
            Self::BelowSeverity => "its severity is below what may page",
            Self::Late => "it came too late to matter",
            Self::Never => "a rule says that it never pages",
            Self::Budget => "a page budget withheld the page that it would have been",
            Self::Resolved => "it resolves an alert",
            Self::NothingToResolve => "it resolves nothing that was known to fire",
            Self::Change => "changes are kept as suspects and never page by themselves",
            Self::Acknowledged => "a person has taken it at the sender",
            Self::Heartbeat => "it is a heartbeat and tells that its sender is alive",
            Self::NoData => "the check itself cannot see",
        }
    }
}
