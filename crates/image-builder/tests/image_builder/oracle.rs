//! Another client, `oci-client`, asked the same questions: where the two differ, one of them is wrong.

use std::str::FromStr;

use cfgupdater_core::{ImageDigest, ImageRef, Manifest, Registry};
use cfgupdater_image_builder::{RegistryClient, Repository};
use cfgupdater_testkit::DockerRegistry;
use oci_client::client::{ClientConfig, ClientProtocol};
use oci_client::secrets::RegistryAuth;
use oci_client::{Client, Reference};
use proptest::prelude::*;
use serde_json::json;

use crate::support::{OCI_MANIFEST, anonymous, push_image};

const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// What each client says of a reference: the digest and the bytes of its manifest.
type Said = Option<(String, Vec<u8>)>;

async fn ours(client: &RegistryClient, image: &str) -> Said {
    let image = image.parse().unwrap();
    let resolved = client.resolve(&image).await.unwrap();
    let manifest = client.manifest(&image).await.unwrap();
    assert_eq!(resolved.as_ref(), manifest.as_ref().map(Manifest::descriptor));
    manifest.map(|manifest| (manifest.descriptor().digest.to_string(), manifest.bytes().to_vec()))
}

async fn theirs(client: &Client, image: &str) -> Said {
    let image = Reference::from_str(image).unwrap();
    let forms = [OCI_MANIFEST, INDEX, "application/vnd.docker.distribution.manifest.v2+json"];
    let pulled = client.pull_manifest_raw(&image, &RegistryAuth::Anonymous, &forms).await;
    let resolved = client.fetch_manifest_digest(&image, &RegistryAuth::Anonymous).await;
    let (bytes, digest) = pulled.ok()?;
    assert_eq!(resolved.unwrap(), digest);
    Some((digest, bytes.to_vec()))
}

#[tokio::test]
async fn both_clients_say_the_same_of_a_registry() {
    // Its TLS library can't be made without a provider, although nothing here needs TLS.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let Some(registry) = DockerRegistry::start() else { return };
    let client = anonymous();
    let other = Client::new(ClientConfig { protocol: ClientProtocol::Http, ..ClientConfig::default() });
    let repository: Repository = format!("{}/team/web", registry.host()).parse().unwrap();
    let (one, two) = (
        push_image(&client, &repository, "v1", b"one").await,
        push_image(&client, &repository, "v2", b"two").await,
    );
    let entry = |image: &Manifest, architecture: &str| {
        let image = image.descriptor();
        json!({"mediaType": image.media_type, "digest": image.digest, "size": image.size, "platform": {"os": "linux", "architecture": architecture}})
    };
    let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": [entry(&one, "amd64"), entry(&two, "arm64")]});
    let index = Manifest::new(INDEX, index.to_string().into_bytes());
    client.put_manifest(&repository, Some("all"), &index).await.unwrap();

    let [one, index] = [&one, &index].map(|manifest| manifest.descriptor().digest.to_string());
    let absent = one.replace(&one[10..20], "0123456789");
    let named = [":v1", ":v2", ":all", ":none"].map(str::to_owned).into_iter();
    let named = named.chain([&one, &index, &absent].map(|digest| format!("@{digest}")));
    let mut found = 0;
    for rest in named.chain([format!(":all@{one}"), format!(":none@{index}")]) {
        let image = format!("{repository}{rest}");
        let said = ours(&client, &image).await;
        assert_eq!(said, theirs(&other, &image).await, "{image}");
        found += usize::from(said.is_some());
    }
    assert_eq!(found, 7);
}

/// What each parser makes of a text: registry, path, tag and digest, as far as the text itself has them.
fn parsed_by_us(text: &str) -> Option<[String; 4]> {
    let image: ImageRef = text.parse().ok()?;
    let of = |part: Option<&str>| part.unwrap_or_default().to_owned();
    let repository = Repository::of(&image);
    let (host, path) = (repository.host().to_owned(), repository.path().to_owned());
    Some([host, path, of(image.tag()), of(image.digest())])
}

fn parsed_by_them(text: &str) -> Option<[String; 4]> {
    let image = Reference::from_str(text).ok()?;
    let digest = image.digest().unwrap_or_default().to_owned();
    // It names a tag where the text has neither tag nor digest.
    let tag = image
        .tag()
        .filter(|_| text.ends_with(&format!(":{}", image.tag().unwrap_or_default())) || !digest.is_empty());
    Some([
        image.registry().to_owned(),
        image.repository().to_owned(),
        tag.unwrap_or_default().to_owned(),
        digest,
    ])
}

/// Says why we refuse what they take.
fn reason(text: &str) -> Option<&'static str> {
    let (name, digest) = text.split_once('@').map_or((text, None), |(name, digest)| (name, Some(digest)));
    let host = name.split_once('/').map_or("", |(host, _)| host);
    let port = host.split_once(':').map_or("0", |(_, port)| port);
    if digest.is_some_and(|digest| digest.parse::<ImageDigest>().is_err()) {
        Some("no digest that is in use has such an algorithm, length or upper-case digits")
    } else if port.parse::<u16>().is_err() {
        Some("there is no such port")
    } else {
        None
    }
}

/// Texts that are references or nearly so.
fn texts() -> impl Strategy<Value = String> {
    let host = prop_oneof![
        Just(String::new()),
        "[a-z0-9.-]{1,12}(:[0-9]{1,6})?/",
        Just("localhost/".to_owned()),
        Just("127.0.0.1:5000/".to_owned()),
        Just("docker.io/".to_owned()),
        Just("r.Example.com/".to_owned()),
    ];
    let path = "[a-z0-9._-]{0,6}(/[a-zA-Z0-9._-]{1,8}){0,3}";
    let tag = prop_oneof![Just(String::new()), ":[a-zA-Z0-9._-]{0,10}", ":[ -~]{1,4}"];
    let digest = prop_oneof![
        3 => Just(String::new()),
        2 => "@sha256:[0-9a-f]{64}",
        1 => "@sha256:[0-9a-fA-F]{60,66}",
        1 => "@sha512:[0-9a-f]{128}",
        1 => "@[a-z0-9+._-]{1,6}:[0-9a-f]{0,64}",
    ];
    (host, path, tag, digest).prop_map(|(host, path, tag, digest)| format!("{host}{path}{tag}{digest}"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    /// Whatever we take, they take, and in the same parts.
    #[test]
    fn references_have_the_same_parts(text in texts()) {
        if let Some(ours) = parsed_by_us(&text) {
            prop_assert_eq!(Some(ours), parsed_by_them(&text), "{}", text);
        }
    }

    /// Whatever they take, we take, but for what is named here.
    #[test]
    fn no_reference_is_refused_without_a_reason(text in texts()) {
        if let Some([..]) = parsed_by_them(&text) && parsed_by_us(&text).is_none() {
            prop_assert!(reason(&text).is_some(), "{}", text);
        }
    }
}
