use super::*;

fn parse(text: &str) -> Result<ImagesFile, String> {
    ImagesFile::parse(text, Path::new("/app"))
}

fn service(lines: &str) -> String {
    let text = format!(
        "registry = \"r.example.com/team\"\n[bins]\ndirectory = \"out\"\nfiles = [\"web\"]\n[service.Web]\nimage = \"web\"\n{lines}\n"
    );
    match parse(&text) {
        Ok(file) => format!("{:?}", file.images()),
        Err(why) => why,
    }
}

#[test]
fn a_whole_file_is_read() {
    let digest = "a".repeat(64);
    let text = format!(
        r#"
        registry = "docker.example.com"
        platform = "linux/arm64"
        base = "alpine@sha256:{digest}"
        [bins]
        directory = "target/release"
        image = "app-bins"
        files = ["web", "worker", "do.sh"]
        [service.Worker]
        image = "app-cd-worker"
        base = "scratch"
        bins = ["worker"]
        [service.Web]
        image = "app-cd-web"
        bins = ["web"]
        files = [
          {{ from = "web/static", to = "/srv" }},
          {{ bin = "do.sh", to = "/usr/bin/", mode = "0700", owner = "65532:65532" }},
          {{ directory = "/var/lib/web", mode = "0750" }},
          {{ link = "/latest", target = "srv" }},
        ]
        entrypoint = ["/web"]
        env = {{ LEVEL = "info" }}
        labels = {{ team = "a" }}
        user = "65532"
        ports = ["8080", "53/udp"]
        "#
    );
    let file = parse(&text).unwrap();
    let names: Vec<_> = file.images().iter().map(|image| image.repository().to_string()).collect();
    assert_eq!(
        names,
        ["docker.example.com/app-bins", "docker.example.com/app-cd-web", "docker.example.com/app-cd-worker"]
    );
    assert_eq!(file.bins.as_deref(), Some(Path::new("/app/target/release")));
    let services: Vec<_> =
        file.images().iter().map(|image| image.service().map(ToString::to_string)).collect();
    assert_eq!(services, [None, Some("Web".to_owned()), Some("Worker".to_owned())]);
}

#[test]
fn mistakes_are_named_with_their_line() {
    let why = service("entypoint = [\"/web\"]");
    assert!(why.contains("entypoint") && why.contains("line 7"), "{why}");
}

#[test]
fn what_is_not_on_the_list_of_binaries_is_refused() {
    let why = service("bins = [\"other\"]");
    assert!(why.contains("service Web") && why.contains("other") && why.contains("[bins] files"), "{why}");
}

#[test]
fn an_entry_is_one_thing() {
    for wrong in [
        r#"{ to = "/x" }"#,
        r#"{ from = "x" }"#,
        r#"{ from = "x", bin = "web", to = "/x" }"#,
        r#"{ link = "/x" }"#,
        r#"{ link = "/x", target = "y", mode = "0644" }"#,
        r#"{ directory = "/x", to = "/y" }"#,
    ] {
        let why = service(&format!("files = [{wrong}]"));
        assert!(why.contains("is one of"), "{wrong}: {why}");
    }
}

#[test]
fn hostile_paths_modes_and_owners_are_refused() {
    for (wrong, hint) in [
        (r#"{ from = "../x", to = "/x" }"#, "leads upwards"),
        (r#"{ from = "/etc/passwd", to = "/x" }"#, "is absolute"),
        (r#"{ from = "x", to = "x" }"#, "is not absolute"),
        (r#"{ from = "x", to = "/../x" }"#, "dot component"),
        (r#"{ from = "x", to = "/x", mode = "rwx" }"#, "is not a mode"),
        (r#"{ from = "x", to = "/x", owner = "root" }"#, "is not an owner"),
    ] {
        let why = service(&format!("files = [{wrong}]"));
        assert!(why.contains(hint), "{wrong}: {why}");
    }
}

#[test]
fn what_would_change_every_digest_is_refused() {
    for label in ["org.opencontainers.image.revision", "org.opencontainers.image.created"] {
        let why = service(&format!("bins = [\"web\"]\nlabels = {{ \"{label}\" = \"x\" }}"));
        assert!(why.contains("would change with every build"), "{why}");
    }
    let why = service("base = \"alpine:3\"");
    assert!(why.contains("alpine@sha256:"), "{why}");
}

#[test]
fn an_image_holds_something_and_has_a_name() {
    assert!(service("").contains("neither files nor a base"));
    let twice = "registry = \"r.example.com\"\n[service.A]\nimage = \"x\"\nfiles = [{from=\"a\",to=\"/a\"}]\n[service.B]\nimage = \"x\"\nfiles = [{from=\"a\",to=\"/a\"}]\n";
    assert!(parse(twice).unwrap_err().contains("both"), "{:?}", parse(twice));
    assert!(parse("registry = \"r.example.com\"\n[service]\n").unwrap_err().contains("no service"));
}

#[test]
fn the_registry_can_be_another_one_than_the_files() {
    let text = "registry = \"r.example.com/team\"\n[bins]\nimage = \"bins\"\nfiles = [\"a\"]\n[service.A]\nimage = \"apps/a\"\nbins = [\"a\"]\n";
    let file = parse(text).unwrap().with_registry("other.example.com:5000/ci/").unwrap();
    let names: Vec<String> = file.images().iter().map(|image| image.repository().to_string()).collect();
    assert_eq!(names, ["other.example.com:5000/ci/bins", "other.example.com:5000/ci/apps/a"]);
    let error = parse(text).unwrap().with_registry("https://r.example.com").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.to_string().contains("https://r.example.com/bins"), "{error}");
}
