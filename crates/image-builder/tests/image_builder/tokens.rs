//! Debian's registry behind a token server.

use cfgupdater_core::{ErrorKind, Registry};
use cfgupdater_image_builder::{Pushed, RegistryClient, Repository};
use cfgupdater_testkit::DockerRegistry;

use crate::app::{App, options};
use crate::support::{blob, hasty, push_image};
use crate::token_server::{Life, TokenServer};

const LONG: Life = Life { real: 300, told: 300 };

fn repository(registry: &DockerRegistry, path: &str) -> Repository {
    format!("{}/{path}", registry.host()).parse().unwrap()
}

fn client(server: &TokenServer, registry: &DockerRegistry) -> RegistryClient {
    RegistryClient::new(hasty().with_auth_file(server.auth_file(registry.host())))
}

#[tokio::test]
async fn one_token_does_for_a_whole_push() {
    let server = TokenServer::start(|_| LONG);
    let Some(registry) = server.registry() else { return };
    let web = repository(&registry, "team/web");
    let client = client(&server, &registry);
    let manifest = push_image(&client, &web, "v1", b"x").await;
    assert_eq!(server.scopes(), ["repository:team/web:pull,push"]);
    let found = client.resolve(&web.tagged("v1").unwrap()).await.unwrap().unwrap();
    assert_eq!(&found, manifest.descriptor());
    assert_eq!(server.scopes()[1..], ["repository:team/web:pull"]);
    client.reach(registry.host()).await.unwrap();

    let stranger = RegistryClient::new(hasty());
    let error = stranger.resolve(&web.tagged("v1").unwrap()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthenticated, "{error}");
}

#[tokio::test]
async fn tokens_that_end_soon_are_replaced_before_they_do() {
    // Good for longer than the test takes, but said to end within the margin that is kept.
    let server = TokenServer::start(|_| Life { real: 300, told: 5 });
    let Some(registry) = server.registry() else { return };
    push_image(&client(&server, &registry), &repository(&registry, "team/web"), "v1", b"x").await;
    // Asked for anew by the HEAD and the POST and the PUT of the content, and the PUT of the manifest.
    assert_eq!(server.scopes(), ["repository:team/web:pull,push"; 4]);
}

#[tokio::test]
async fn a_token_that_ended_in_the_middle_of_a_push_is_replaced() {
    // The first one answers a challenge: a registry that refuses what it just asked for isn't asked again.
    for ended in 1..4 {
        // The registry grants a minute beyond the end.
        let life = move |n| Life { real: if n == ended { -3600 } else { 300 }, told: 5 };
        let server = TokenServer::start(life);
        let Some(registry) = server.registry() else { return };
        let web = repository(&registry, "team/web");
        let client = client(&server, &registry);
        let manifest = push_image(&client, &web, "v1", b"x").await;
        assert_eq!(server.scopes().len(), 5, "the one that had ended, once more");
        let found = client.manifest(&web.tagged("v1").unwrap()).await.unwrap();
        assert_eq!(found, Some(manifest));
    }
}

#[tokio::test]
async fn a_mount_takes_a_token_for_both_repositories() {
    let server = TokenServer::start(|_| LONG);
    let Some(registry) = server.registry() else { return };
    let (base, web) = (repository(&registry, "bases/alpine"), repository(&registry, "team/web"));
    let client = client(&server, &registry);
    let (descriptor, source) = blob(b"a layer of the base");
    client.push_blob(&base, &descriptor, &source).await.unwrap();
    assert_eq!(client.mount_blob(&web, &descriptor, &base).await.unwrap(), Some(Pushed::Mounted));
    assert_eq!(server.scopes().last().unwrap(), "repository:team/web:pull,push+repository:bases/alpine:pull");
    assert_eq!(client.read_blob(&web, &descriptor, 100).await.unwrap(), b"a layer of the base");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_build_goes_through() {
    let server = TokenServer::start(|n| Life { real: if n % 7 == 3 { -3600 } else { 300 }, told: 300 });
    let Some(registry) = server.registry() else { return };
    let app = App::new(registry.host());
    let build = async |n: u32| {
        let client = client(&server, &registry);
        // From here on the challenge is known: no token answers one, and is refused for good.
        client.reach(registry.host()).await.unwrap();
        app.build(&client, &options(n)).await.unwrap()
    };
    let (first, second) = (build(1).await, build(2).await);
    assert!(first.iter().zip(&second).all(|(one, other)| one.digest == other.digest));
}
