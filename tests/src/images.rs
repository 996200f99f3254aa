//! Announcements as an application's CI makes them.

use serde_json::{Map, Value, json};

/// Returns the application's commit of build `n`.
pub fn app_sha(n: u32) -> String {
    format!("{n:08x}").repeat(5)
}

/// Returns the body of an announcement: the images of build `n` for each service.
pub fn images(services: &[&str], n: u32) -> Value {
    let image = |service: &str| {
        let name = format!("registry.example.com/{}", service.to_lowercase());
        let digest = format!("{n:08x}").repeat(8);
        json!({"Digest": format!("{name}@sha256:{digest}"), "Tag": format!("{name}:{}", app_sha(n))})
    };
    Value::Object(
        services.iter().map(|service| ((*service).to_owned(), image(service))).collect::<Map<_, _>>(),
    )
}
