use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use tokio::net::TcpListener;

use super::*;
use crate::exit::Exit;

/// What a server is going to answer, in this order; the last answer is repeated.
type Script = Vec<(u16, Option<&'static str>, &'static str)>;

/// What a server was asked.
type Asked = Arc<Mutex<Vec<(String, HeaderMap)>>>;

/// Serves a script and returns where, with what it will have been asked.
async fn serve(script: Script) -> (String, Asked) {
    let asked = Asked::default();
    let app = Router::new().fallback(answer).with_state((script, Arc::clone(&asked)));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await });
    (url, asked)
}

async fn answer(State((script, asked)): State<(Script, Asked)>, request: Request) -> Response {
    let mut asked = asked.lock().unwrap();
    let (status, retry_after, body) = script[asked.len().min(script.len() - 1)];
    asked.push((request.uri().to_string(), request.headers().clone()));
    let mut response = (StatusCode::from_u16(status).unwrap(), body).into_response();
    if let Some(seconds) = retry_after {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static(seconds));
    }
    response
}

fn client(url: &str, retry_for: Duration) -> Client {
    let token = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(token.path(), "s3cret\n").unwrap();
    let token = Token::find(Some(token.path())).unwrap();
    Client::new(&Address::new(url, None).unwrap(), token, retry_for).unwrap()
}

fn post() -> Call {
    Call::post(["v1", "x"], b"{}".to_vec()).once_only("key-1".to_owned())
}

const PATIENT: Duration = Duration::from_secs(30);
const NOT_AT_ALL: Duration = Duration::ZERO;

#[tokio::test]
async fn a_call_is_repeated_with_the_same_key_until_it_is_answered() {
    let (url, asked) = serve(vec![(503, Some("0"), ""), (502, None, ""), (200, None, r#"{"a":1}"#)]).await;
    let answer = client(&url, PATIENT).send(&post()).await.unwrap();
    assert_eq!(answer["a"], 1);
    let asked = asked.lock().unwrap();
    assert_eq!(asked.len(), 3);
    for (path, headers) in asked.iter() {
        assert_eq!(
            (path.as_str(), &headers["idempotency-key"]),
            ("/v1/x", &HeaderValue::from_static("key-1"))
        );
        assert_eq!(headers["authorization"], "Bearer s3cret");
    }
}

#[tokio::test]
async fn without_time_left_the_service_is_unavailable() {
    let problem = r#"{"status":503,"title":"x","detail":"the remote is down"}"#;
    let (url, asked) = serve(vec![(503, Some("5"), problem)]).await;
    let failure = Failure::from(client(&url, NOT_AT_ALL).send(&post()).await.unwrap_err());
    assert_eq!(failure, Failure::new(Exit::Unavailable, "refused (503): the remote is down"));
    assert_eq!(asked.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_refusal_is_final() {
    let problem = r#"{"status":401,"title":"x","detail":"this token is not known"}"#;
    let (url, asked) = serve(vec![(401, None, problem)]).await;
    let failure = Failure::from(client(&url, PATIENT).send(&post()).await.unwrap_err());
    assert_eq!(failure.exit, Exit::Failed);
    assert!(failure.message.contains("this token is not known; set CFGUPDATER_TOKEN"), "{failure}");
    assert_eq!(asked.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_service_that_comes_up_late_is_found() {
    let reserved = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = reserved.local_addr().unwrap();
    drop(reserved);
    let client = client(&format!("http://{address}"), PATIENT);
    let call = tokio::spawn(async move { client.send(&post()).await });
    let listener = TcpListener::bind(address).await.unwrap();
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(|| async { "{}" })).await });
    assert!(call.await.unwrap().is_ok());
}

#[tokio::test]
async fn where_nobody_listens_the_service_is_unavailable() {
    let failure = Failure::from(client("http://127.0.0.1:1", NOT_AT_ALL).send(&post()).await.unwrap_err());
    assert_eq!(failure.exit, Exit::Unavailable);
    assert!(failure.message.contains("http://127.0.0.1:1/ can't be reached"), "{failure}");
}

#[tokio::test]
async fn a_server_that_doesnt_speak_tls_is_not_tried_again() {
    let (url, _) = serve(vec![(200, None, "{}")]).await;
    let error = client(&url.replace("http:", "https:"), PATIENT).send(&post()).await.unwrap_err();
    assert!(!error.is_passing(), "{error}");
    assert_eq!(Failure::from(error).exit, Exit::Unavailable);
}

#[tokio::test]
async fn an_answer_that_isnt_json_is_no_service() {
    let (url, _) = serve(vec![(200, None, "<html>")]).await;
    let failure = Failure::from(client(&url, PATIENT).send(&post()).await.unwrap_err());
    assert!(failure.message.contains("is it a cfgupdater service?"), "{failure}");
}

#[tokio::test]
async fn a_redirection_is_not_followed() {
    let (url, asked) = serve(vec![(308, None, "")]).await;
    let failure = Failure::from(client(&url, PATIENT).send(&post()).await.unwrap_err());
    assert_eq!((failure.exit, asked.lock().unwrap().len()), (Exit::Failed, 1));
    assert!(failure.message.contains("--server"), "{failure}");
}

#[tokio::test]
async fn a_later_look_at_the_audit_trail_reads_what_is_new_alone() {
    const PAGES: [&str; 3] = [
        r#"{"items":[{"state":"b","at":"2026-01-01T00:00:00Z","record":"stable_seen","commit":"1111111111111111111111111111111111111111"}],"next":"a"}"#,
        r#"{"items":[{"state":"a","at":"2026-01-01T00:00:00Z","record":"stable_seen","commit":"1111111111111111111111111111111111111111"}],"next":"0"}"#,
        r#"{"items":[{"state":"c","at":"2026-01-01T00:00:00Z","record":"stable_seen","commit":"1111111111111111111111111111111111111111"},{"state":"b"}],"next":"a"}"#,
    ];
    let (url, asked) = serve(PAGES.map(|page| (200, None, page)).to_vec()).await;
    let api = Api::new(client(&url, NOT_AT_ALL), "cfg".parse().unwrap());
    let mut trail = trail::Trail::new(&api);
    let (reads, second) = (std::cell::Cell::new(0), 2);
    let enough = |_: &Logged| {
        reads.set(reads.get() + 1);
        reads.get() == second
    };
    trail.read_on(enough).await.unwrap();
    assert_eq!(trail.items().len(), 2, "back to what is enough");
    trail.read_on(enough).await.unwrap();
    assert_eq!(trail.items().len(), 3);
    let asked: Vec<String> = asked.lock().unwrap().iter().map(|(path, _)| path.clone()).collect();
    let log = |query: &str| format!("/v1/repos/cfg/log?{query}");
    assert_eq!(asked, [log("limit=500"), log("limit=500&after=a"), log("limit=20")]);
}
