//! Deploy tools whose certificate a private authority signed.

use cfgupdater_tests::{DeployApi, Options, Remote, Service, eventually};
use cfgupdater_tests_forge_server::{Authority, tls_before};

use crate::deploy_hooks::{introduce, metric};
use crate::deploy_pull::{options, promotion};

#[test]
fn an_api_behind_a_private_authority_is_asked_once_its_file_is_named() {
    let (remote, directory, api) = (Remote::new(), tempfile::tempdir().unwrap(), DeployApi::start());
    let authority = Authority::new();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let plain = api.base().trim_start_matches("http://").to_owned();
    let base = runtime.block_on(tls_before(plain, &authority.certify("localhost")));
    let mut options = options(directory.path(), &api, "argocd", "100ms");
    options.deploy = options.deploy.replace(api.base(), &base);

    let service = Service::with(&remote, &options);
    let sha = introduce(&remote, &service, 1);
    for target in ["staging-1", "staging-2"] {
        api.application(&format!("cfg-app-staging-{target}"), &sha, "Succeeded", "Healthy");
    }
    let failed = || metric(&service, "cfgupdater_failed_polls_total{repo=\"cfg-app\"}");
    eventually("failed questions", || (failed() > 1).then_some(()));
    let log = service.stop();
    assert!(log.contains("name the authority that signed it as ca_file"), "{log}");
    assert_eq!(api.questions().len(), 0, "a stranger is shown no login");

    let file = directory.path().join("ca.pem");
    std::fs::write(&file, authority.pem()).unwrap();
    let trusted = format!("{base}\"\nca_file = \"{}\"", file.display());
    let deploy = options.deploy.replace(&format!("{base}\""), &trusted);
    let service = Service::with(&remote, &Options { deploy, ..options });
    promotion(&remote, &service, "internal");
}
