//! Types of rustdoc's description as text.

use serde_json::Value;

/// Writes a type as users write it, without the paths of its modules.
pub(crate) fn type_text(value: &Value) -> String {
    let Some((kind, body)) = value.as_object().and_then(|kinds| kinds.iter().next()) else {
        return "_".to_owned();
    };
    let list = |types: &Value| -> String {
        types.as_array().into_iter().flatten().map(type_text).collect::<Vec<_>>().join(", ")
    };
    match kind.as_str() {
        "primitive" | "generic" => body.as_str().unwrap_or("_").to_owned(),
        "resolved_path" => format!("{}{}", last(&body["path"]), arguments(&body["args"])),
        "borrowed_ref" => {
            let mutable = if body["is_mutable"] == true { "mut " } else { "" };
            format!("&{mutable}{}", type_text(&body["type"]))
        }
        "tuple" => format!("({})", list(body)),
        "slice" => format!("[{}]", type_text(body)),
        "array" => format!("[{}; {}]", type_text(&body["type"]), body["len"].as_str().unwrap_or("_")),
        "dyn_trait" => {
            let traits = body["traits"].as_array().into_iter().flatten();
            let traits: Vec<String> = traits
                .map(|of| format!("{}{}", last(&of["trait"]["path"]), arguments(&of["trait"]["args"])))
                .collect();
            format!("dyn {}", traits.join(" + "))
        }
        "impl_trait" => format!("impl{}", bounds(body).replacen(':', "", 1)),
        "qualified_path" => {
            format!("<{}>::{}", type_text(&body["self_type"]), body["name"].as_str().unwrap_or("_"))
        }
        "function_pointer" => "fn".to_owned(),
        other => other.to_owned(),
    }
}

/// Writes what stands in angle brackets, or `(…) -> …` after `Fn`.
pub(crate) fn arguments(args: &Value) -> String {
    if let Some(inputs) = args["parenthesized"]["inputs"].as_array() {
        let inputs: Vec<String> = inputs.iter().map(type_text).collect();
        let output = &args["parenthesized"]["output"];
        let output = if output.is_null() { String::new() } else { format!(" -> {}", type_text(output)) };
        return format!("({}){output}", inputs.join(", "));
    }
    let given = args["angle_bracketed"]["args"].as_array().into_iter().flatten();
    let given = given.filter_map(|given| given.get("type")).map(type_text);
    let bound = args["angle_bracketed"]["constraints"].as_array().into_iter().flatten();
    let bound = bound.map(|bound| {
        let name = bound["name"].as_str().unwrap_or("_");
        format!("{name} = {}", type_text(&bound["binding"]["equality"]["type"]))
    });
    let all: Vec<String> = given.chain(bound).collect();
    if all.is_empty() { String::new() } else { format!("<{}>", all.join(", ")) }
}

/// Writes the traits that something must have, with their colon; nothing where there are none.
pub(crate) fn bounds(bounds: &Value) -> String {
    let names = bounds.as_array().into_iter().flatten().filter_map(|bound| {
        if let Some(lifetime) = bound["outlives"].as_str() {
            return Some(lifetime.to_owned());
        }
        let of = bound.get("trait_bound")?;
        Some(format!("{}{}", last(&of["trait"]["path"]), arguments(&of["trait"]["args"])))
    });
    let names: Vec<String> = names.collect();
    if names.is_empty() { String::new() } else { format!(": {}", names.join(" + ")) }
}

fn last(path: &Value) -> &str {
    let path = path.as_str().unwrap_or("_");
    path.rsplit("::").next().unwrap_or(path)
}
