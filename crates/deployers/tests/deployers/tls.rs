//! Who is trusted: private authorities, certificates of somebody else, and what a pod is given.

use std::path::{Path, PathBuf};

use cfgupdater_core::{
    CommitId, DeploymentReport, Deployments, Error, ErrorKind, ObjectId, Place, Retry, explain,
};
use cfgupdater_deployers::argocd::SourceUrl;
use cfgupdater_deployers::{Access, DeployApi, Mapping, SenderKind};
use cfgupdater_tests_forge_server::{Authority, tls_before};
use serde_json::Value;
use tempfile::TempDir;

use crate::server::{Server, TOKEN};
use crate::{application, kustomization, policy, rule};

const APPLICATION: &str = "/api/v1/applications/cfg-staging-1?appNamespace=tools";
const KUSTOMIZATION: &str =
    "/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/tools/kustomizations/cfg-staging-1";

/// Both APIs: what makes their client, what kind of sender it asks about, and where that is.
type Api = fn(&str, Access, Mapping, SourceUrl) -> Result<DeployApi, Error>;
const APIS: [(Api, SenderKind, &str); 2] = [
    (DeployApi::argo_cd, SenderKind::Application, APPLICATION),
    (DeployApi::kubernetes, SenderKind::Kustomization, KUSTOMIZATION),
];

fn object(kind: SenderKind) -> Value {
    let revision = CommitId::new(ObjectId::from_bytes(&[1; 20]).unwrap());
    match kind {
        SenderKind::Application => application("Succeeded", "Healthy", revision),
        _ => kustomization("True", "ReconciliationSucceeded", revision),
    }
}

fn api(make: Api, kind: SenderKind, access: Access) -> DeployApi {
    let mapping = Mapping::new(&[rule(kind, "cfg-{target}")], &policy()).unwrap();
    make("tool", access, mapping, SourceUrl::new("https://git.example.com/cfg.git")).unwrap()
}

async fn ask(api: &DeployApi) -> Result<DeploymentReport, Error> {
    let place: Place = ("staging".parse().unwrap(), "staging-1".parse().unwrap());
    api.ask(&place).await.pop().expect("one sender says something")
}

async fn fails(api: &DeployApi) -> (ErrorKind, String) {
    let error = ask(api).await.expect_err("nobody is to be trusted");
    assert_ne!(error.retry(), Retry::Never, "the server may show another certificate, or the file be mended");
    (error.kind(), explain(&error))
}

/// Puts a server behind TLS with a certificate for a host, and returns its port.
async fn behind_tls(server: &Server, authority: &Authority, host: &str) -> String {
    let plain = server.base().trim_start_matches("http://").to_owned();
    let base = tls_before(plain, &authority.certify(host)).await;
    base.rsplit(':').next().unwrap().to_owned()
}

/// Starts an API that has one object, with a certificate for a host; returns also the URL by which it is asked, and a
/// directory for files.
async fn serving(authority: &Authority, host: &str, path: &str, object: Value) -> (Server, String, TempDir) {
    let server = Server::start().await;
    server.put(path, object);
    let base = format!("https://localhost:{}", behind_tls(&server, authority, host).await);
    (server, base, TempDir::new().unwrap())
}

fn write(directory: &TempDir, name: &str, text: &str) -> PathBuf {
    let file = directory.path().join(name);
    std::fs::write(&file, text).unwrap();
    file
}

#[tokio::test]
async fn a_private_authority_is_trusted_by_its_file_alone() {
    for (make, kind, path) in APIS {
        let authority = Authority::new();
        let (server, base, directory) = serving(&authority, "localhost", path, object(kind)).await;
        let access = Access::new(&base).unwrap().with_token_file(write(&directory, "token", TOKEN));
        let (error, told) = fails(&api(make, kind, access.clone())).await;
        assert_eq!(error, ErrorKind::Unavailable);
        assert!(told.contains(&base) && told.contains("UnknownIssuer"), "{told}");
        assert!(told.contains("name the authority that signed it as ca_file"), "{told}");
        assert_eq!(server.questions(), 0, "no login was shown to a stranger");

        let access = access.with_ca_file(write(&directory, "ca.pem", authority.pem()));
        ask(&api(make, kind, access.clone())).await.unwrap();
        // A file that holds more than one authority trusts each of them.
        let both = format!("{}{}", Authority::new().pem(), authority.pem());
        write(&directory, "ca.pem", &both);
        ask(&api(make, kind, access)).await.unwrap();
    }
}

#[tokio::test]
async fn somebody_elses_certificate_is_refused_and_the_file_named() {
    for (make, kind, path) in APIS {
        let authority = Authority::new();
        let (server, base, directory) = serving(&authority, "localhost", path, object(kind)).await;
        let file = write(&directory, "ca.pem", Authority::new().pem());
        let (_, told) = fails(&api(make, kind, Access::new(&base).unwrap().with_ca_file(&file))).await;
        assert!(told.contains("put the authority that signed it into"), "{told}");
        assert!(told.contains(&file.display().to_string()), "{told}");
        assert_eq!(server.questions(), 0);
    }
}

#[tokio::test]
async fn a_certificate_of_another_host_is_refused_and_the_address_named() {
    for (make, kind, path) in APIS {
        let authority = Authority::new();
        let (server, base, directory) = serving(&authority, "other.test", path, object(kind)).await;
        let file = write(&directory, "ca.pem", authority.pem());
        let (_, told) = fails(&api(make, kind, Access::new(&base).unwrap().with_ca_file(&file))).await;
        assert!(told.contains("name the API by an address that its certificate is for"), "{told}");
        assert_eq!(server.questions(), 0);
    }
}

#[tokio::test]
async fn a_file_that_holds_no_authority_is_named() {
    let directory = TempDir::new().unwrap();
    let gone = directory.path().join("gone.pem");
    let damaged =
        write(&directory, "damaged.pem", "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n");
    for (file, why) in [
        (gone, "can't be read"),
        (write(&directory, "empty.pem", ""), "holds no certificate"),
        (write(&directory, "token", TOKEN), "holds no certificate"),
        (damaged, "is not PEM"),
    ] {
        let access = Access::new("https://localhost:1").unwrap().with_ca_file(&file);
        let error = ask(&api(DeployApi::kubernetes, SenderKind::Kustomization, access)).await.unwrap_err();
        assert_eq!((error.kind(), error.retry()), (ErrorKind::Invalid, Retry::Never));
        let told = explain(&error);
        assert!(told.contains(why) && told.contains(&file.display().to_string()), "{told}");
        assert!(!told.contains("canary"), "{told}");
    }
}

/// What Kubernetes puts into a pod: files behind a link to a directory, which is swapped when one of them changes.
struct Pod {
    directory: TempDir,
    host: String,
    port: String,
}

impl Pod {
    fn new(port: &str) -> Self {
        let directory = TempDir::new().unwrap();
        for name in ["token", "ca.crt", "namespace"] {
            std::os::unix::fs::symlink(Path::new("..data").join(name), directory.path().join(name)).unwrap();
        }
        Self { directory, host: "127.0.0.1".to_owned(), port: port.to_owned() }
    }

    /// Writes all files anew and has them seen at once.
    fn project(&self, version: &str, token: &str, authority: &Authority) {
        let at = |name: &str| self.directory.path().join(name);
        std::fs::create_dir(at(version)).unwrap();
        for (name, text) in [("token", token), ("ca.crt", authority.pem()), ("namespace", "cfgupdater")] {
            std::fs::write(at(version).join(name), text).unwrap();
        }
        std::os::unix::fs::symlink(version, at("..data_tmp")).unwrap();
        std::fs::rename(at("..data_tmp"), at("..data")).unwrap();
    }

    fn access(&self) -> Access {
        let variable = |name: &str| match name {
            "KUBERNETES_SERVICE_HOST" => Some(self.host.clone()),
            "KUBERNETES_SERVICE_PORT" => Some(self.port.clone()),
            _ => None,
        };
        Access::of_pod(variable, self.directory.path()).unwrap()
    }
}

#[tokio::test]
async fn a_pod_asks_its_cluster_with_a_token_that_is_rotated() {
    let (server, authority) = (Server::start().await, Authority::new());
    server.put(KUSTOMIZATION, object(SenderKind::Kustomization));
    let pod = Pod::new(&behind_tls(&server, &authority, "127.0.0.1").await);
    pod.project("..1", TOKEN, &authority);
    let api = api(DeployApi::kubernetes, SenderKind::Kustomization, pod.access());
    ask(&api).await.unwrap();
    // The cluster no longer takes the old token, and the new one is read without a restart.
    server.let_in("canary-rotated");
    let error = ask(&api).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthenticated);
    assert!(!explain(&error).contains("canary"), "{error}");
    pod.project("..2", "canary-rotated", &authority);
    ask(&api).await.unwrap();
    assert!(!format!("{api:?}").contains("canary"), "{api:?}");
}

#[tokio::test]
async fn an_authority_that_is_rotated_is_read_again() {
    let (server, old, new) = (Server::start().await, Authority::new(), Authority::new());
    server.put(KUSTOMIZATION, object(SenderKind::Kustomization));
    let pod = Pod::new(&behind_tls(&server, &new, "127.0.0.1").await);
    pod.project("..1", TOKEN, &old);
    let api = api(DeployApi::kubernetes, SenderKind::Kustomization, pod.access());
    let (_, told) = fails(&api).await;
    assert!(told.contains("ca.crt"), "{told}");
    pod.project("..2", TOKEN, &new);
    ask(&api).await.unwrap();
}
