//! The local forge runs checks itself.

use cfgupdater_tests::{Options, Remote, Service, images};

/// Fails for build 2 only.
const CHECK: &str = r#"
[[repo.forge.run]]
context = "ci"
command = ["sh", "-c", "echo checking; ! grep -q 00000002 images/staging/tags.json 2>/dev/null"]
"#;

fn options() -> Options {
    Options { forge: CHECK.to_owned(), ..Options::default() }
}

#[test]
fn a_command_decides_what_lands_and_what_is_evicted() {
    let remote = Remote::new();
    let service = Service::with(&remote, &options());
    let intents: Vec<String> =
        (1..=3).map(|n| service.announce(n)["intent"].as_str().unwrap().to_owned()).collect();
    let ends: Vec<_> = intents.iter().map(|intent| service.end_of(intent)).collect();
    let names: Vec<&str> = ends.iter().map(|end| end["end"].as_str().unwrap()).collect();
    // The third may have been tested on top of the second, and have carried it, before the second was red. One replica
    // may see to that while another evicts: then the third has landed by a commit that was no longer its own.
    let possible = [["landed", "evicted", "landed"], ["landed"; 3], ["landed", "evicted", "subsumed"]];
    assert!(possible.iter().any(|possible| names == possible), "{ends:?}");
    let expected = images(&["Service1", "Service2"], 3);
    let tag = expected["Service1"]["Tag"].as_str().unwrap();
    assert!(remote.file("master", "images/staging/tags.json").unwrap().contains(tag));
}

#[test]
fn the_output_of_a_failed_check_is_kept_and_linked() {
    let remote = Remote::new();
    let service = Service::with(&remote, &options());
    let told = service.announce(2);
    let end = service.end_of(told["intent"].as_str().unwrap());
    assert_eq!(end["end"], "evicted", "{end}");
    let link = end["evidence"]["link"].as_str().expect("evidence has a link");
    let path = link.strip_prefix(service.server().base()).expect("it is a URL of the service");
    assert_eq!(service.get(path).status, 200);
}
