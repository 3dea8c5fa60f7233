//! The socket's file: for its owner only, in place of a dead broker's, and gone after the stop.

use crate::support::*;
use archwire::admin::{AdminServer, SocketError};
use std::{
    fs,
    os::unix::{fs::PermissionsExt as _, net::UnixListener},
};

fn names(data: &Data) -> Vec<String> {
    let entries = fs::read_dir(data.path()).unwrap();
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

#[tokio::test]
async fn only_its_owner_may_open_it() {
    let data = Data::new();
    let _server = AdminServer::bind(&data.path()).unwrap();
    let mode = fs::metadata(data.socket()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(names(&data), ["admin.sock"], "nothing else is left behind");
}

#[tokio::test]
async fn the_socket_of_a_dead_broker_is_replaced() {
    let data = Data::new();
    drop(UnixListener::bind(data.socket()).unwrap());
    fs::create_dir(data.path().join("admin.d")).unwrap();
    assert!(data.socket().exists(), "a dead broker leaves its socket");
    let _server = AdminServer::bind(&data.path()).unwrap();
    std::os::unix::net::UnixStream::connect(data.socket()).expect("somebody listens");
}

#[tokio::test]
async fn it_is_gone_after_the_stop() {
    let mut desk = Desk::open().await;
    desk.run(&["review", "list"]).await.well();
    desk.stop().await;
    assert_eq!(names(&desk.data), Vec::<String>::new());
}

#[tokio::test]
async fn a_path_that_no_socket_can_have_is_named_with_its_way_out() {
    let data = Data::new();
    let name = "a".repeat(107 - data.path().as_os_str().len() - "//admin.sock".len());
    let folder = data.path().join(&name);
    fs::create_dir(&folder).unwrap();
    assert_eq!(folder.join("admin.sock").as_os_str().len(), 107);
    AdminServer::bind(&folder).expect("107 bytes are not too many");
    let longer = data.path().join(name + "a");
    fs::create_dir(&longer).unwrap();
    let error = AdminServer::bind(&longer).err().expect("108 bytes are too many");
    assert!(matches!(error, SocketError::TooLong { bytes: 108, .. }));
    assert_eq!(error.code(), "admin_socket_path_too_long");
    let said = error.to_string();
    assert!(
        said.contains("data.folder") && said.contains("admin.sock") && said.contains("107"),
        "{said}"
    );
}
