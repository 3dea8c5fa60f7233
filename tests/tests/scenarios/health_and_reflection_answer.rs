//! What monitoring and tools ask of every gRPC server.

use crate::support::Scene;
use anyhow::{Context as _, Result, ensure};
use tokio_stream::once;
use tonic::transport::Endpoint;
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};
use tonic_reflection::pb::v1::{
    ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
    server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
};

#[tokio::test]
async fn health_says_that_the_bus_serves_without_a_token() -> Result<()> {
    let scene = Scene::open().await?;
    let channel = Endpoint::from_shared(scene.practice.url())?.connect().await?;
    let mut health = HealthClient::new(channel);
    for service in ["", "archwire.v1.Bus"] {
        let answer = health
            .check(HealthCheckRequest {
                service: service.to_owned(),
            })
            .await?;
        assert_eq!(
            answer.into_inner().status(),
            ServingStatus::Serving,
            "{service:?}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn reflection_names_the_bus_and_shows_its_contract() -> Result<()> {
    let scene = Scene::open().await?;
    let channel = Endpoint::from_shared(scene.practice.url())?.connect().await?;
    let mut reflection = ServerReflectionClient::new(channel);
    let mut ask = async |question| -> Result<MessageResponse> {
        let request = ServerReflectionRequest {
            host: String::new(),
            message_request: Some(question),
        };
        let mut answers = reflection
            .server_reflection_info(once(request))
            .await?
            .into_inner();
        let answer = answers.message().await?.context("no answer")?;
        answer.message_response.context("an empty answer")
    };
    let MessageResponse::ListServicesResponse(list) =
        ask(MessageRequest::ListServices(String::new())).await?
    else {
        anyhow::bail!("not a list of services");
    };
    let names: Vec<_> = list.service.iter().map(|service| service.name.as_str()).collect();
    ensure!(
        names.contains(&"archwire.v1.Bus") && names.contains(&"grpc.health.v1.Health"),
        "{names:?}"
    );
    let question = MessageRequest::FileContainingSymbol("archwire.v1.Bus".to_owned());
    let MessageResponse::FileDescriptorResponse(file) = ask(question).await? else {
        anyhow::bail!("not a file");
    };
    ensure!(!file.file_descriptor_proto.is_empty(), "the contract is empty");
    Ok(())
}
