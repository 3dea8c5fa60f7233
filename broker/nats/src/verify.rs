//! Whether a server does what was asked of it: the configuration that it echoes, field by field, against the one wanted.
//!
//! A server accepts options that it does not know, and drops them without a word; and what exists already keeps its
//! own settings. So the answer counts, not the request.

use async_nats::jetstream::{
    consumer,
    stream::{self, Compression, DiscardPolicy, PersistenceMode, RetentionPolicy, StorageType},
};
use std::{fmt, time::Duration};

/// A setting that is not as it has to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The setting, by its name in the JetStream API.
    pub setting: &'static str,
    /// What the server has.
    pub found: String,
    /// What it has to be.
    pub wanted: String,
    /// Options of `nats stream edit` that mend it; `None` when it cannot be changed in place.
    pub remedy: Option<String>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is {}, wanted {}", self.setting, self.found, self.wanted)
    }
}

/// Differences, with the command that mends them.
pub(crate) fn listed(stream: &str, differences: &[Difference]) -> String {
    let each: Vec<String> = differences.iter().map(ToString::to_string).collect();
    let remedies: Option<Vec<&str>> = differences
        .iter()
        .map(|difference| difference.remedy.as_deref())
        .collect();
    let way_out = match remedies {
        Some(options) => format!("run `nats stream edit {stream} {}`", options.join(" ")),
        None => format!(
            "not all of this can be changed in place: back the stream up (`nats stream backup {stream} FOLDER`), move \
             it away, and let Archwire make it anew"
        ),
    };
    format!("{}; {way_out}", each.join("; "))
}

struct Comparison(Vec<Difference>);

impl Comparison {
    fn expect(
        &mut self,
        holds: bool,
        setting: &'static str,
        found: impl fmt::Display,
        wanted: impl fmt::Display,
    ) {
        if !holds {
            let (found, wanted) = (found.to_string(), wanted.to_string());
            self.0.push(Difference {
                setting,
                found,
                wanted,
                remedy: None,
            });
        }
    }

    /// Names the options that mend the last difference, if it was one in `setting`.
    fn remedy(&mut self, setting: &str, options: impl Into<String>) {
        if let Some(last) = self.0.last_mut().filter(|last| last.setting == setting) {
            last.remedy = Some(options.into());
        }
    }

    /// A setting that has to be just so and that can be changed in place.
    fn equal<T: PartialEq + fmt::Debug>(
        &mut self,
        setting: &'static str,
        found: &T,
        wanted: &T,
        remedy: &str,
    ) {
        self.expect(
            found == wanted,
            setting,
            format!("{found:?}"),
            format!("{wanted:?}"),
        );
        self.remedy(setting, remedy);
    }
}

/// Where `found` is weaker than `wanted`. Larger limits and more replicas are no differences; neither is a size that
/// the caller changes itself.
pub(crate) fn stream_differences(found: &stream::Config, wanted: &stream::Config) -> Vec<Difference> {
    let mut all = Comparison(Vec::new());
    all.expect(
        found.subjects == wanted.subjects,
        "subjects",
        found.subjects.join(" "),
        wanted.subjects.join(" "),
    );
    all.remedy("subjects", format!("--subjects '{}'", wanted.subjects.join(",")));
    durability(&mut all, found, wanted);
    nothing_is_removed(&mut all, found, wanted);
    nothing_goes_elsewhere(&mut all, found);
    all.equal(
        "allow_direct",
        &found.allow_direct,
        &wanted.allow_direct,
        "--allow-direct",
    );
    all.equal(
        "allow_rollup_hdrs",
        &found.allow_rollup,
        &wanted.allow_rollup,
        match wanted.allow_rollup {
            true => "--allow-rollup",
            false => "--no-allow-rollup",
        },
    );
    let compression = wanted.compression.clone();
    all.equal(
        "compression",
        &found.compression,
        &compression,
        match compression {
            Some(Compression::S2) => "--compression s2",
            _ => "--compression none",
        },
    );
    all.0
}

fn durability(all: &mut Comparison, found: &stream::Config, wanted: &stream::Config) {
    let file = found.storage == StorageType::File;
    all.expect(file, "storage", format!("{:?}", found.storage), "File");
    let replicas = found.num_replicas >= wanted.num_replicas;
    all.expect(
        replicas,
        "num_replicas",
        found.num_replicas,
        format!("{} or more", wanted.num_replicas),
    );
    all.remedy("num_replicas", format!("--replicas {}", wanted.num_replicas));
    all.expect(!found.no_ack, "no_ack", found.no_ack, false);
    all.remedy("no_ack", "--ack");
    let flushed = found
        .persist_mode
        .is_none_or(|mode| mode == PersistenceMode::Default);
    all.expect(flushed, "persist_mode", "async", "default");
    let window = found.duplicate_window >= wanted.duplicate_window;
    let (found_window, wanted_window) = (found.duplicate_window, wanted.duplicate_window);
    all.expect(
        window,
        "duplicate_window",
        seconds(found_window),
        format!("{} or more", seconds(wanted_window)),
    );
    all.remedy(
        "duplicate_window",
        format!("--dupe-window {}", seconds(wanted_window)),
    );
}

fn nothing_is_removed(all: &mut Comparison, found: &stream::Config, wanted: &stream::Config) {
    let limits = found.retention == RetentionPolicy::Limits;
    all.expect(limits, "retention", format!("{:?}", found.retention), "Limits");
    let discard_new = found.discard == DiscardPolicy::New;
    all.expect(discard_new, "discard", format!("{:?}", found.discard), "New");
    all.remedy("discard", "--discard new");
    all.expect(
        found.max_age == wanted.max_age,
        "max_age",
        seconds(found.max_age),
        seconds(wanted.max_age),
    );
    all.remedy("max_age", format!("--max-age {}", seconds(wanted.max_age)));
    all.expect(
        found.max_messages <= 0,
        "max_msgs",
        found.max_messages,
        "unlimited",
    );
    all.remedy("max_msgs", "--max-msgs=-1");
    let (per_subject, wanted_per_subject) = (found.max_messages_per_subject, wanted.max_messages_per_subject);
    let enough = if wanted_per_subject <= 0 {
        per_subject <= 0
    } else {
        per_subject == wanted_per_subject
    };
    all.expect(enough, "max_msgs_per_subject", per_subject, wanted_per_subject);
    all.remedy(
        "max_msgs_per_subject",
        format!("--max-msgs-per-subject={wanted_per_subject}"),
    );
    let size = found.max_message_size <= 0
        || (wanted.max_message_size > 0 && found.max_message_size >= wanted.max_message_size);
    all.expect(
        size,
        "max_msg_size",
        found.max_message_size,
        wanted.max_message_size,
    );
    all.remedy(
        "max_msg_size",
        format!("--max-msg-size={}", wanted.max_message_size),
    );
    all.equal(
        "deny_delete",
        &found.deny_delete,
        &wanted.deny_delete,
        "--deny-delete",
    );
    all.equal(
        "deny_purge",
        &found.deny_purge,
        &wanted.deny_purge,
        "--deny-purge",
    );
    all.expect(!found.allow_message_ttl, "allow_msg_ttl", true, false);
    all.expect(!found.sealed, "sealed", true, false);
}

/// Copies of patient data that nobody asked for.
fn nothing_goes_elsewhere(all: &mut Comparison, found: &stream::Config) {
    all.expect(found.republish.is_none(), "republish", "set", "none");
    all.remedy("republish", "--no-republish");
    all.expect(
        found.subject_transform.is_none(),
        "subject_transform",
        "set",
        "none",
    );
    all.remedy("subject_transform", "--no-transform");
    let own = found.mirror.is_none() && found.sources.as_ref().is_none_or(Vec::is_empty);
    all.expect(own, "mirror and sources", "set", "none");
}

/// Where a consumer is not as wanted.
pub(crate) fn consumer_differences(
    found: &consumer::pull::Config,
    wanted: &consumer::pull::Config,
) -> Vec<Difference> {
    let mut all = Comparison(Vec::new());
    all.equal(
        "filter_subject",
        &found.filter_subject,
        &wanted.filter_subject,
        "",
    );
    all.equal(
        "filter_subjects",
        &found.filter_subjects,
        &wanted.filter_subjects,
        "",
    );
    all.equal(
        "deliver_policy",
        &found.deliver_policy,
        &wanted.deliver_policy,
        "",
    );
    all.equal("ack_policy", &found.ack_policy, &wanted.ack_policy, "");
    all.equal("ack_wait", &found.ack_wait, &wanted.ack_wait, "");
    all.equal("max_deliver", &found.max_deliver, &wanted.max_deliver, "");
    all.equal(
        "max_ack_pending",
        &found.max_ack_pending,
        &wanted.max_ack_pending,
        "",
    );
    all.equal("headers_only", &found.headers_only, &wanted.headers_only, "");
    all.equal("mem_storage", &found.memory_storage, &wanted.memory_storage, "");
    all.equal(
        "inactive_threshold",
        &found.inactive_threshold,
        &wanted.inactive_threshold,
        "",
    );
    all.equal("backoff", &found.backoff, &wanted.backoff, "");
    all.0
}

fn seconds(duration: Duration) -> String {
    format!("{}s", duration.as_secs_f64())
}
