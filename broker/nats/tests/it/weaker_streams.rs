//! A stream that promises less than the log does is refused, with each difference, and is not touched.

use crate::support::*;
use archwire_core::Subject;
use archwire_nats::{Credentials, ExternalConfig, Log, OpenError};
use async_nats::jetstream::stream::{Compression, Config, DiscardPolicy, StorageType};
use std::time::Duration;

/// As the log itself would make it.
fn good() -> Config {
    Config {
        name: "ARCHWIRE_maple-street".to_owned(),
        subjects: vec![Subject::everything(&practice())],
        discard: DiscardPolicy::New,
        max_bytes: 256 * 1024 * 1024,
        num_replicas: 1,
        duplicate_window: Duration::from_secs(600),
        deny_delete: true,
        deny_purge: true,
        allow_direct: true,
        compression: Some(Compression::S2),
        ..Config::default()
    }
}

async fn open_beside(existing: Config) -> Result<(), OpenError> {
    let server = ForeignServer::with_jetstream().await;
    let client = server.client().await;
    let made = client
        .create_stream(existing)
        .await
        .unwrap()
        .cached_info()
        .config
        .clone();
    let (credentials, connect_timeout) = (Credentials::None, Duration::from_secs(20));
    let config = ExternalConfig {
        url: server.url.clone(),
        credentials,
        root_certificate: None,
        connect_timeout,
    };
    let opened = Log::open(&config.connect().await.unwrap(), &practice(), &log_config())
        .await
        .map(|_| ());
    let found = client
        .get_stream("ARCHWIRE_maple-street")
        .await
        .unwrap()
        .cached_info()
        .config
        .clone();
    assert_eq!(found, made, "the stream was changed");
    opened
}

#[tokio::test]
async fn a_stream_that_is_as_it_has_to_be_is_taken() {
    open_beside(good()).await.unwrap();
}

#[tokio::test]
async fn every_weaker_setting_is_refused_by_its_name() {
    let republish = async_nats::jetstream::stream::Republish {
        source: ">".to_owned(),
        destination: "copy.>".to_owned(),
        headers_only: false,
    };
    let weaker = [
        (
            "storage",
            Config {
                storage: StorageType::Memory,
                compression: None,
                ..good()
            },
        ),
        (
            "discard",
            Config {
                discard: DiscardPolicy::Old,
                ..good()
            },
        ),
        (
            "max_age",
            Config {
                max_age: Duration::from_secs(3600),
                ..good()
            },
        ),
        (
            "max_msgs",
            Config {
                max_messages: 1000,
                ..good()
            },
        ),
        (
            "max_msgs_per_subject",
            Config {
                max_messages_per_subject: 1,
                ..good()
            },
        ),
        (
            "subjects",
            Config {
                subjects: vec![Subject::all_patients(&practice())],
                ..good()
            },
        ),
        (
            "deny_delete",
            Config {
                deny_delete: false,
                ..good()
            },
        ),
        (
            "deny_purge",
            Config {
                deny_purge: false,
                ..good()
            },
        ),
        (
            "duplicate_window",
            Config {
                duplicate_window: Duration::from_secs(60),
                ..good()
            },
        ),
        (
            "allow_direct",
            Config {
                allow_direct: false,
                ..good()
            },
        ),
        (
            "compression",
            Config {
                compression: None,
                ..good()
            },
        ),
        (
            "no_ack",
            Config {
                no_ack: true,
                ..good()
            },
        ),
        (
            "republish",
            Config {
                republish: Some(republish),
                ..good()
            },
        ),
        (
            "allow_msg_ttl",
            Config {
                allow_message_ttl: true,
                ..good()
            },
        ),
    ];
    for (setting, existing) in weaker {
        let error = open_beside(existing).await.unwrap_err();
        let OpenError::Weaker { differences, .. } = &error else {
            panic!("{setting}: {}", told(&error))
        };
        assert!(
            differences.iter().any(|difference| difference.setting == setting),
            "{setting}: {error}"
        );
    }
}

#[tokio::test]
async fn the_refusal_lists_what_was_found_what_is_wanted_and_the_way_out() {
    let existing = Config {
        discard: DiscardPolicy::Old,
        max_age: Duration::from_secs(3600),
        ..good()
    };
    let error = open_beside(existing).await.unwrap_err();
    assert_eq!(error.code(), "log_settings_weaker");
    assert_eq!(
        error.to_string(),
        "ARCHWIRE_maple-street exists with weaker settings than promised: discard is Old, wanted New; max_age is \
         3600s, wanted 0s; run `nats stream edit ARCHWIRE_maple-street --discard new --max-age 0s`"
    );
}
