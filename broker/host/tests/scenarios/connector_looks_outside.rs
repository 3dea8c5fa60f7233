//! A connector that looks for what is outside of the sandbox.

use crate::support::{config, hostile, tell};

#[tokio::test]
async fn files_environment_arguments_sockets_and_names_are_out_of_reach() {
    assert_eq!(
        tell(&hostile(config()).await, "outside").await.unwrap(),
        "nothing"
    );
}

#[tokio::test]
async fn settings_are_there_with_their_defaults_and_secrets_are_not() {
    let said = tell(&hostile(config()).await, "settings").await.unwrap();
    assert_eq!(said, r#"front-desk Some("hello") Some("0") None None"#);
}

#[tokio::test]
async fn this_broker_keeps_no_images() {
    let said = tell(&hostile(config()).await, "images").await.unwrap();
    assert_eq!(said, "Some(\"denied\") Some(\"denied\")");
}
