//! What is audited, and by which word.

use archwire_core::Verdict;

/// Something that shows or changes a patient, or the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// An item of the review queue is shown unmasked.
    Show,
    /// An item is decided: the same person.
    Link,
    /// An item is decided: not the same person.
    NotSame,
    /// An item is decided: the system is right.
    Accept,
    /// An item is decided: the bus is right.
    Reject,
    /// Two patients are made one.
    Merge,
    /// What a merge would come to is shown.
    MergeTrial,
    /// A patient is parted from the survivor of a merge.
    Unmerge,
    /// What parting would come to is shown.
    UnmergeTrial,
    /// The index is made anew from the log.
    Rebuild,
    /// A parked delivery is shown with what the system said, and with the patient unmasked.
    ShowParked,
    /// Parked deliveries are tried again.
    Redrive,
    /// Parked deliveries are given up for good.
    Drop,
    /// What events say is shown.
    Reveal,
    /// What a comparison of a system with the log found is repaired.
    Repair,
    /// A system was compared with the log.
    Reconcile,
    /// What is known of an image is shown.
    ShowImage,
    /// An image's bytes are given out.
    GetImage,
    /// Bytes that no image has are removed.
    CollectImages,
    /// The broker is ready.
    Started,
    /// The broker stops in order.
    Stopped,
    /// The audit knew more of the log than the log has.
    Ahead,
    /// What the audit had come to was signed.
    Checkpoint,
    /// A vendor is told of a patient.
    ToldPatient,
    /// A vendor is told whom it looked for.
    ToldFound,
    /// A vendor is told a patient's history.
    ToldEvents,
    /// A vendor is given an image.
    ToldImage,
    /// A vendor begins to read a subscription.
    Opened,
    /// A subscription is still read: everything about it once more.
    Continued,
    /// So many more events of a subscription may go out.
    Allowed,
    /// Events of a subscription go out.
    Sent,
    /// Events that may have gone out before the broker was cut off.
    Presumed,
    /// A subscription is not read any more.
    Closed,
    /// What a vendor's contract says, as it came into force.
    ContractStated,
    /// Somebody was not let in.
    AuthenticationFailed,
    /// A vendor asked for, or said, what its contract does not grant.
    Denied,
    /// The configuration is another one.
    ConfigurationChanged,
    /// The broker starts on a configuration, and does not know of an earlier one.
    Configured,
    /// A person makes a token for a vendor.
    TokenMade,
    /// A person revokes a vendor's token.
    TokenRevoked,
    /// The accounting of what was told of a patient is given out.
    Accounted,
    /// Records are let go of, because their time is over.
    LetGo,
}

impl Action {
    /// The action of deciding an item so; none for what no person decides.
    #[must_use]
    pub fn of(verdict: Verdict) -> Option<Self> {
        match verdict {
            Verdict::Link => Some(Self::Link),
            Verdict::NotSame => Some(Self::NotSame),
            Verdict::Accept => Some(Self::Accept),
            Verdict::Reject => Some(Self::Reject),
            Verdict::Settled | Verdict::Merge | Verdict::Unmerge => None,
        }
    }

    /// The word in the audit.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Show => "review.show",
            Self::Link => "review.link",
            Self::NotSame => "review.not-same",
            Self::Accept => "review.accept",
            Self::Reject => "review.reject",
            Self::Merge => "review.merge",
            Self::MergeTrial => "review.merge-trial",
            Self::Unmerge => "review.unmerge",
            Self::UnmergeTrial => "review.unmerge-trial",
            Self::Rebuild => "registry.rebuild",
            Self::ShowParked => "parked.show",
            Self::Redrive => "parked.redrive",
            Self::Drop => "parked.drop",
            Self::Reveal => "events.reveal",
            Self::Repair => "reconcile.repair",
            Self::Reconcile => "reconcile",
            Self::ShowImage => "images.show",
            Self::GetImage => "images.get",
            Self::CollectImages => "images.collect",
            Self::Started => "broker.started",
            Self::Stopped => "broker.stopped",
            Self::Ahead => "audit.ahead-of-log",
            Self::Checkpoint => "audit.checkpoint",
            Self::ToldPatient => "disclosure.patient",
            Self::ToldFound => "disclosure.found",
            Self::ToldEvents => "disclosure.events",
            Self::ToldImage => "disclosure.image",
            Self::Opened => "disclosure.opened",
            Self::Continued => "disclosure.continued",
            Self::Allowed => "disclosure.allowed",
            Self::Sent => "disclosure.sent",
            Self::Presumed => "disclosure.presumed",
            Self::Closed => "disclosure.closed",
            Self::ContractStated => "contract.stated",
            Self::AuthenticationFailed => "authentication.failed",
            Self::Denied => "access.denied",
            Self::ConfigurationChanged => "configuration.changed",
            Self::Configured => "broker.configured",
            Self::TokenMade => "token.made",
            Self::TokenRevoked => "token.revoked",
            Self::Accounted => "accounting.disclosures",
            Self::LetGo => "audit.let-go",
        }
    }
}

/// Whether a word is that of something which people did, or the bus of its own accord: not what follows from the log, what vendors
/// were told, who was not let in and what was not granted, and what the broker notes of itself.
#[must_use]
pub fn is_of_people(action: &str) -> bool {
    let group = action.split('.').next().unwrap_or_default();
    !matches!(
        group,
        "event"
            | "delivery"
            | "decision"
            | "disclosure"
            | "contract"
            | "authentication"
            | "access"
            | "broker"
            | "audit"
    )
}
