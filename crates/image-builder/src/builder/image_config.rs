//! An image's configuration, as a pure function of its base, its layers and its settings.

use std::collections::BTreeMap;

use cfgupdater_core::{Error, ErrorKind, ImageDigest};
use serde_json::{Map, Value, json};

use super::canonical_json;
use super::epoch::rfc_3339;
use super::platform::Platform;

/// Who made a layer, as the image's history says. No version: it would change digests.
const CREATED_BY: &str = "cfgupdater image build";

/// What the images file says beside files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Settings {
    pub(super) entrypoint: Option<Vec<String>>,
    pub(super) cmd: Option<Vec<String>>,
    pub(super) user: Option<String>,
    pub(super) workdir: Option<String>,
    pub(super) stop_signal: Option<String>,
    pub(super) env: BTreeMap<String, String>,
    pub(super) labels: BTreeMap<String, String>,
    pub(super) ports: Vec<String>,
}

/// A configuration that was read: that of a base.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct BaseConfig {
    value: Value,
    pub(super) diff_ids: Vec<ImageDigest>,
}

impl BaseConfig {
    /// Reads a configuration; it must be of the platform and describe as many layers as its manifest.
    pub(super) fn parse(bytes: &[u8], platform: &Platform, layers: usize) -> Result<Self, String> {
        let value: Value = serde_json::from_slice(bytes)
            .map_err(|error| format!("has an unreadable configuration: {error}"))?;
        let text = |name: &str| value[name].as_str().unwrap_or_default();
        let variant = value["variant"].as_str();
        if !platform.takes(text("os"), text("architecture"), variant) {
            let (os, architecture) = (text("os").escape_debug(), text("architecture").escape_debug());
            return Err(format!("is of platform {os}/{architecture}, not {platform}"));
        }
        let diff_ids: Option<Vec<ImageDigest>> = value["rootfs"]["diff_ids"]
            .as_array()
            .and_then(|ids| ids.iter().map(|id| id.as_str()?.parse().ok()).collect());
        match diff_ids {
            Some(diff_ids) if diff_ids.len() == layers => Ok(Self { value, diff_ids }),
            _ => Err("has a configuration that doesn't fit its layers".to_owned()),
        }
    }
}

/// Makes the configuration of an image. `layer` is the digest of what our layer holds, uncompressed.
pub(super) fn image_config(
    base: Option<&BaseConfig>,
    layer: Option<&ImageDigest>,
    settings: &Settings,
    platform: &Platform,
    epoch: u64,
) -> Vec<u8> {
    let mut image = Map::new();
    let empty = Value::Null;
    let inherited = base.map_or(&empty, |base| &base.value);
    for name in ["variant", "os.version", "os.features"] {
        if !inherited[name].is_null() {
            image.insert(name.to_owned(), inherited[name].clone());
        }
    }
    if let Some(variant) = &platform.variant {
        image.insert("variant".to_owned(), json!(variant));
    }
    let diff_ids: Vec<&ImageDigest> = base.iter().flat_map(|base| &base.diff_ids).chain(layer).collect();
    image.insert("architecture".to_owned(), json!(platform.architecture));
    image.insert("os".to_owned(), json!(platform.os));
    image.insert("created".to_owned(), json!(rfc_3339(epoch)));
    image.insert("rootfs".to_owned(), json!({"type": "layers", "diff_ids": diff_ids}));
    image.insert("config".to_owned(), run_config(&inherited["config"], settings));
    if let Some(history) = history(base, layer.is_some(), epoch) {
        image.insert("history".to_owned(), history);
    }
    canonical_json::to_bytes(&Value::Object(image))
}

/// Lays the settings over those of the base.
fn run_config(base: &Value, settings: &Settings) -> Value {
    let mut config = base.as_object().cloned().unwrap_or_default();
    // What Docker notes about the build of the base.
    for name in ["Hostname", "Domainname", "Image", "OnBuild"] {
        config.remove(name);
    }
    if let Some(entrypoint) = &settings.entrypoint {
        config.insert("Entrypoint".to_owned(), json!(entrypoint));
        // The base's arguments belong to the base's program.
        config.remove("Cmd");
    }
    let texts =
        [("User", &settings.user), ("WorkingDir", &settings.workdir), ("StopSignal", &settings.stop_signal)];
    for (name, value) in texts {
        if let Some(value) = value {
            config.insert(name.to_owned(), json!(value));
        }
    }
    if let Some(cmd) = &settings.cmd {
        config.insert("Cmd".to_owned(), json!(cmd));
    }
    let labels = settings.labels.iter().map(|(name, value)| (name.clone(), json!(value)));
    add_members(&mut config, "Labels", labels);
    let ports = settings.ports.iter().map(|port| (port.clone(), json!({})));
    add_members(&mut config, "ExposedPorts", ports);
    add_env(&mut config, &settings.env);
    config.retain(|_, value| !value.is_null());
    Value::Object(config)
}

fn add_members(config: &mut Map<String, Value>, name: &str, added: impl Iterator<Item = (String, Value)>) {
    let mut members = config.get(name).and_then(Value::as_object).cloned().unwrap_or_default();
    members.extend(added);
    if !members.is_empty() {
        config.insert(name.to_owned(), Value::Object(members));
    }
}

/// Replaces variables where the base has them, and appends the others by their names.
fn add_env(config: &mut Map<String, Value>, env: &BTreeMap<String, String>) {
    let known = config.get("Env").and_then(Value::as_array).cloned().unwrap_or_default();
    let name_of = |line: &str| line.split_once('=').map_or(line, |(name, _)| name).to_owned();
    let mut lines: Vec<String> = known.iter().filter_map(Value::as_str).map(str::to_owned).collect();
    for (name, value) in env {
        let line = format!("{name}={value}");
        match lines.iter_mut().find(|known| name_of(known) == *name) {
            Some(known) => *known = line,
            None => lines.push(line),
        }
    }
    if !lines.is_empty() {
        config.insert("Env".to_owned(), json!(lines));
    }
}

/// Returns the base's history and a line of our own; `None` where the base's doesn't tell of each of its layers.
fn history(base: Option<&BaseConfig>, has_layer: bool, epoch: u64) -> Option<Value> {
    let mut lines = Vec::new();
    if let Some(base) = base {
        lines = base.value["history"].as_array().cloned().unwrap_or_default();
        let told = lines.iter().filter(|line| line["empty_layer"] != json!(true)).count();
        if told != base.diff_ids.len() {
            return None;
        }
    }
    let mut line = json!({"created": rfc_3339(epoch), "created_by": CREATED_BY});
    if !has_layer {
        line["empty_layer"] = json!(true);
    }
    lines.push(line);
    Some(Value::Array(lines))
}

/// Says that a base can't be used.
pub(super) fn unusable(base: &dyn std::fmt::Display, why: &str) -> Error {
    Error::new(ErrorKind::Invalid, format!("the base {base} {why}; name another one"))
}

#[cfg(test)]
mod tests;
