//! A login that is an identity token: it is exchanged, and shown to nobody but the token server.

use std::sync::{Arc, Mutex};

use cfgupdater_image_builder::RegistryClient;

use crate::double::Double;
use crate::http_server::{Answer, Reaction, Request, Service, serve};
use crate::support::{hasty, push_image};

/// A token server that keeps what it was sent.
#[derive(Default)]
struct Exchanging {
    sent: Mutex<Vec<(Request, String)>>,
}

impl Service for Exchanging {
    fn react(&self, _request: &Request) -> Reaction {
        Reaction::Serve
    }

    fn answer(&self, request: &Request, body: Vec<u8>) -> Answer {
        self.sent.lock().unwrap().push((request.clone(), String::from_utf8(body).unwrap()));
        Answer::status(200).body(r#"{"access_token":"good","expires_in":300}"#)
    }
}

#[tokio::test]
async fn an_identity_token_is_exchanged_by_a_form() {
    let server = Arc::new(Exchanging::default());
    let realm = serve(Arc::clone(&server) as Arc<dyn Service>);
    let double = Double::start().with_fault(move |request| {
        if request.header("authorization") == Some("Bearer good") {
            return Reaction::Serve;
        }
        let challenge = format!("Bearer realm=\"http://{realm}/token\",service=\"the double\"");
        Reaction::Answer(Answer::status(401).with("www-authenticate", challenge))
    });
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("config.json");
    let logins = format!(r#"{{"auths":{{"{}":{{"identitytoken":"canary+/="}}}}}}"#, double.address);
    std::fs::write(&file, logins).unwrap();
    let client = RegistryClient::new(hasty().with_auth_file(&file));
    push_image(&client, &double.repository("team/web"), "v1", b"x").await;

    let sent = server.sent.lock().unwrap();
    assert_eq!(sent.len(), 1, "one exchange for the whole push");
    let (request, form) = &sent[0];
    assert_eq!((request.method.as_str(), request.query.as_str()), ("POST", ""), "no secret in an address");
    assert_eq!(request.header("content-type"), Some("application/x-www-form-urlencoded"));
    assert_eq!(request.header("authorization"), None);
    assert_eq!(
        form,
        "grant_type=refresh_token&client_id=cfgupdater&service=the+double\
         &scope=repository%3Ateam%2Fweb%3Apull%2Cpush&refresh_token=canary%2B%2F%3D"
    );
    assert!(double.seen().iter().all(|request| !format!("{request:?}").contains("canary")));
}
