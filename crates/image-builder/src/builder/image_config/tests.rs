use super::*;

fn base() -> Value {
    json!({
        "os": "linux", "architecture": "amd64", "created": "2024-01-01T00:00:00Z", "docker_version": "20",
        "container": "x", "container_config": {"Cmd": ["x"]},
        "config": {
            "Env": ["PATH=/bin", "A=1"], "Cmd": ["/bin/sh"], "Hostname": "h", "Image": "sha256:x",
            "Labels": {"base": "yes"}, "Volumes": null,
        },
        "history": [{"created_by": "a"}, {"created_by": "b", "empty_layer": true}],
        "rootfs": {"type": "layers", "diff_ids": [ImageDigest::of(b"base")]},
    })
}

fn parse(value: &Value) -> Result<BaseConfig, String> {
    BaseConfig::parse(value.to_string().as_bytes(), &Platform::default(), 1)
}

fn made(base: Option<&BaseConfig>, settings: &Settings) -> Value {
    let layer = ImageDigest::of(b"layer");
    serde_json::from_slice(&image_config(base, Some(&layer), settings, &Platform::default(), 0)).unwrap()
}

#[test]
fn an_image_from_scratch_has_one_form() {
    let settings = Settings { entrypoint: Some(vec!["/web".to_owned()]), ..Settings::default() };
    let layer = ImageDigest::of(b"layer");
    let bytes = image_config(None, Some(&layer), &settings, &Platform::default(), 0);
    let expected = format!(
        r#"{{"architecture":"amd64","config":{{"Entrypoint":["/web"]}},"created":"1970-01-01T00:00:00Z","history":[{{"created":"1970-01-01T00:00:00Z","created_by":"cfgupdater image build"}}],"os":"linux","rootfs":{{"diff_ids":["{layer}"],"type":"layers"}}}}"#
    );
    assert_eq!(String::from_utf8(bytes).unwrap(), expected);
}

#[test]
fn a_base_is_inherited_without_the_traces_of_its_build() {
    let base = parse(&base()).unwrap();
    let settings = Settings {
        entrypoint: Some(vec!["/web".to_owned()]),
        env: [("A", "2"), ("B", "3")].map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        labels: [("own".to_owned(), "yes".to_owned())].into(),
        ports: vec!["80/tcp".to_owned()],
        ..Settings::default()
    };
    let image = made(Some(&base), &settings);
    assert_eq!(
        image["config"],
        json!({
            "Entrypoint": ["/web"], "Env": ["PATH=/bin", "A=2", "B=3"], "ExposedPorts": {"80/tcp": {}},
            "Labels": {"base": "yes", "own": "yes"},
        })
    );
    assert_eq!(image["rootfs"]["diff_ids"], json!([ImageDigest::of(b"base"), ImageDigest::of(b"layer")]));
    assert_eq!(image["history"].as_array().unwrap().len(), 3);
    assert!(image["docker_version"].is_null() && image["container"].is_null());
}

#[test]
fn the_bases_program_is_kept_unless_another_is_named() {
    let base = parse(&base()).unwrap();
    assert_eq!(made(Some(&base), &Settings::default())["config"]["Cmd"], json!(["/bin/sh"]));
    let settings = Settings { cmd: Some(vec!["x".to_owned()]), ..Settings::default() };
    assert_eq!(made(Some(&base), &settings)["config"]["Cmd"], json!(["x"]));
}

#[test]
fn a_history_that_does_not_fit_is_left_out() {
    let mut value = base();
    value["history"] = json!([]);
    let image = made(Some(&parse(&value).unwrap()), &Settings::default());
    assert!(image["history"].is_null());
}

#[test]
fn a_base_of_another_platform_or_with_other_layers_is_refused() {
    let mut other = base();
    other["architecture"] = json!("arm64");
    assert!(parse(&other).unwrap_err().contains("linux/arm64, not linux/amd64"));
    let mut broken = base();
    broken["rootfs"]["diff_ids"] = json!([]);
    assert!(parse(&broken).unwrap_err().contains("doesn't fit"));
    assert!(BaseConfig::parse(b"x", &Platform::default(), 1).is_err());
}
