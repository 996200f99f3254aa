//! Checks answers against GitHub's description. Knows as much of OpenAPI 3.0 as that description uses.

use std::sync::OnceLock;

use serde_json::Value;

/// Conclusions occur that the description doesn't list.
const OPEN: [&str; 2] = ["conclusion", "status"];

fn description() -> &'static Value {
    static DESCRIPTION: OnceLock<Value> = OnceLock::new();
    DESCRIPTION.get_or_init(|| {
        serde_json::from_str(include_str!("../openapi/github-trimmed.json")).expect("the description is JSON")
    })
}

/// Says what is wrong with an answer, `None` where nothing is or the path isn't described.
pub(crate) fn violation(method: &str, path: &str, status: u16, body: &Value) -> Option<String> {
    let paths = description()["paths"].as_object()?;
    let (name, operations) = paths.iter().find(|(template, _)| matches(template, path))?;
    let operation = &operations[method.to_ascii_lowercase()];
    if operation.is_null() {
        return Some(format!("{name} has no {method}"));
    }
    let schema = operation["responses"][status.to_string()].pointer("/content/application~1json/schema")?;
    check(schema, body, "").map(|why| format!("{method} {path} {status}: {why}"))
}

fn matches(template: &str, path: &str) -> bool {
    let (template, path): (Vec<&str>, Vec<&str>) = (template.split('/').collect(), path.split('/').collect());
    let fits = |(expected, given): (&&str, &&str)| {
        expected == given || expected.starts_with('{') && !given.is_empty()
    };
    template.len() == path.len() && template.iter().zip(&path).all(fits)
}

fn check(schema: &Value, value: &Value, place: &str) -> Option<String> {
    if let Some(name) = schema["$ref"].as_str() {
        let target = description().pointer(name.trim_start_matches('#')).expect("references lead somewhere");
        return check(target, value, place);
    }
    if value.is_null() && schema["nullable"] == Value::Bool(true) {
        return None;
    }
    let all = |key: &str| schema[key].as_array().into_iter().flatten();
    if let Some(why) = all("allOf").find_map(|part| check(part, value, place)) {
        return Some(why);
    }
    for key in ["anyOf", "oneOf"] {
        let reasons: Vec<_> = all(key).map(|part| check(part, value, place)).collect();
        if !reasons.is_empty() && reasons.iter().all(Option::is_some) {
            return Some(format!("{place} fits none of {key}: {reasons:?}"));
        }
    }
    let of_type = match schema["type"].as_str() {
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("integer") => value.is_i64() || value.is_u64(),
        Some("number") => value.is_number(),
        Some("boolean") => value.is_boolean(),
        _ => true,
    };
    if !of_type {
        return Some(format!("{place} is {value}, not {}", schema["type"]));
    }
    let open = OPEN.iter().any(|name| place.ends_with(&format!("/{name}")));
    if let Some(listed) = schema["enum"].as_array().filter(|listed| !open && !listed.contains(value)) {
        return Some(format!("{place} is {value}, none of {listed:?}"));
    }
    if let Some(missing) = all("required").filter_map(Value::as_str).find(|name| value.get(name).is_none()) {
        return Some(format!("{place} lacks {missing}"));
    }
    for (name, part) in schema["properties"].as_object().into_iter().flatten() {
        let why = value.get(name).and_then(|value| check(part, value, &format!("{place}/{name}")));
        if why.is_some() {
            return why;
        }
    }
    let items = value.as_array().filter(|_| schema["items"].is_object()).into_iter().flatten();
    items.enumerate().find_map(|(index, item)| check(&schema["items"], item, &format!("{place}/{index}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answers;
    use serde_json::json;

    #[test]
    fn what_github_would_not_send_is_found() {
        let path = "/repos/acme/cfg/commits/abc/check-runs";
        let good = json!({ "total_count": 1, "check_runs": [answers::run(1, "abc", "ci", "stale", 2)] });
        assert_eq!(violation("GET", path, 200, &good), None);
        let mut lacking = good.clone();
        lacking["check_runs"][0].as_object_mut().unwrap().remove("app");
        assert!(violation("GET", path, 200, &lacking).unwrap().contains("lacks app"));
        let mut wrong = good;
        wrong["check_runs"][0]["id"] = json!("1");
        assert!(violation("GET", path, 200, &wrong).unwrap().contains("/check_runs/0/id is"));
        assert_eq!(violation("GET", "/elsewhere", 200, &json!(1)), None);
    }
}
