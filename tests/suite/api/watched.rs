//! What is watched ends with the server; health is open to all.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_ends_with_the_server_and_health_is_open_to_all() {
    let tokens = api::Tokens { office: "oo".into(), ..Default::default() };
    let house = House::open(api::Options { tokens: Some(tokens), ..Default::default() }).await;
    let mut health = tonic_health::pb::health_client::HealthClient::new(house.channel.clone());
    for service in ["", "swabline.v1.Recording", "swabline.v1.Progress"] {
        let mut status = 0;
        for _ in 0..100 {
            let asked = health
                .check(tonic_health::pb::HealthCheckRequest { service: service.into() })
                .await;
            if let Ok(told) = asked {
                status = told.into_inner().status;
            }
            if status == 1 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert_eq!(status, 1, "{service}");
    }
    let mut reflection =
        tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient::new(
            house.channel.clone(),
        );
    let ask = tonic_reflection::pb::v1::ServerReflectionRequest {
        host: String::new(),
        message_request: Some(
            tonic_reflection::pb::v1::server_reflection_request::MessageRequest::ListServices(
                String::new(),
            ),
        ),
    };
    let mut told =
        reflection.server_reflection_info(tokio_stream::once(ask)).await.unwrap().into_inner();
    assert!(format!("{:?}", told.message().await.unwrap()).contains("swabline.v1.Recording"));
    let mut progress = ProgressClient::new(house.channel.clone());
    let mut watch = progress
        .watch_progress(client::with_token(tonic::Request::new(Default::default()), "oo"))
        .await
        .unwrap()
        .into_inner();
    watch.message().await.unwrap().unwrap();
    let closing = tokio::spawn(house.close());
    assert_eq!(reason(&watch.message().await.unwrap_err()), "SHUTTING_DOWN");
    drop((health, told, reflection, progress, watch));
    closing.await.unwrap();
}
