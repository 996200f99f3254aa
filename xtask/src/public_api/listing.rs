//! The public items of a library, a line each, so that a change of them is seen in review.

use std::collections::BTreeSet;

use serde_json::Value;

use super::type_text::{arguments, bounds, type_text};

/// Lists what a description of rustdoc's shows, sorted.
pub(crate) fn listing(description: &Value) -> String {
    let mut listing = Listing { description, lines: BTreeSet::new() };
    listing.module(&description["root"], "");
    listing.lines.into_iter().map(|line| line + "\n").collect()
}

struct Listing<'a> {
    description: &'a Value,
    lines: BTreeSet<String>,
}

impl<'a> Listing<'a> {
    fn item(&self, id: &Value) -> Option<&'a Value> {
        self.description["index"].get(id.to_string())
    }

    fn items(&self, ids: &'a Value) -> impl Iterator<Item = &'a Value> {
        ids.as_array().into_iter().flatten().filter_map(|id| self.item(id))
    }

    fn module(&mut self, id: &Value, path: &str) {
        let Some(module) = self.item(id) else { return };
        let items: Vec<&Value> = self.items(&module["inner"]["module"]["items"]).collect();
        for item in items {
            let name = item["name"].as_str().unwrap_or_default();
            self.shown(item, &join(path, name), path);
        }
    }

    /// Lists one item under the path by which users reach it.
    fn shown(&mut self, item: &'a Value, path: &str, parent: &str) {
        let Some((kind, body)) = item["inner"].as_object().and_then(|inner| inner.iter().next()) else {
            return;
        };
        match kind.as_str() {
            "use" => self.used(body, parent),
            "module" => {
                self.lines.insert(format!("mod {path}"));
                self.module(&item["id"], path);
            }
            "struct" => self.structure(body, path),
            "enum" => self.enumeration(body, path),
            "trait" => self.interface(body, path),
            "function" => self.function(body, path),
            "constant" | "type_alias" | "assoc_const" | "assoc_type" => {
                let of = type_text(&body["type"]);
                self.lines.insert(format!("{} {path}: {of}", kind.replace('_', " ")));
            }
            "macro" | "proc_macro" => {
                self.lines.insert(format!("macro {path}!"));
            }
            _ => {}
        }
    }

    fn used(&mut self, body: &'a Value, parent: &str) {
        let name = body["name"].as_str().unwrap_or_default();
        match self.item(&body["id"]) {
            Some(_) if body["is_glob"] == true => self.module(&body["id"], parent),
            Some(item) => self.shown(item, &join(parent, name), parent),
            // Another crate's item, or all of another crate.
            None => {
                self.lines.insert(format!(
                    "use {} as {}",
                    body["source"].as_str().unwrap_or_default(),
                    join(parent, name)
                ));
            }
        }
    }

    fn structure(&mut self, body: &'a Value, path: &str) {
        self.lines.insert(format!("struct {path}"));
        self.fields(&body["kind"]["plain"]["fields"], path);
        self.methods(&body["impls"], path);
    }

    fn fields(&mut self, ids: &'a Value, path: &str) {
        let fields: Vec<&Value> = self.items(ids).collect();
        for field in fields.into_iter().filter(|field| field["inner"].get("struct_field").is_some()) {
            let name = field["name"].as_str().unwrap_or_default();
            self.lines.insert(format!("field {path}.{name}: {}", type_text(&field["inner"]["struct_field"])));
        }
    }

    fn enumeration(&mut self, body: &'a Value, path: &str) {
        self.lines.insert(format!("enum {path}"));
        let variants: Vec<&Value> = self.items(&body["variants"]).collect();
        for variant in variants {
            let path = join(path, variant["name"].as_str().unwrap_or_default());
            let kind = &variant["inner"]["variant"]["kind"];
            let parts: Vec<String> =
                self.items(&kind["tuple"]).map(|part| type_text(&part["inner"]["struct_field"])).collect();
            let parts = if parts.is_empty() { String::new() } else { format!("({})", parts.join(", ")) };
            self.lines.insert(format!("variant {path}{parts}"));
            self.fields(&kind["struct"]["fields"], &path);
        }
        self.methods(&body["impls"], path);
    }

    fn interface(&mut self, body: &'a Value, path: &str) {
        self.lines.insert(format!("trait {path}{}", bounds(&body["bounds"])));
        let items: Vec<&Value> = self.items(&body["items"]).collect();
        for item in items {
            self.shown(item, &join(path, item["name"].as_str().unwrap_or_default()), path);
        }
    }

    /// Lists the methods of a type's own, and the traits it implements by its own word.
    fn methods(&mut self, impls: &'a Value, path: &str) {
        let impls: Vec<&Value> = self.items(impls).map(|item| &item["inner"]["impl"]).collect();
        for body in
            impls.into_iter().filter(|body| body["blanket_impl"].is_null() && body["is_synthetic"] != true)
        {
            if let Some(name) = body["trait"]["path"].as_str() {
                let name = name.rsplit("::").next().unwrap_or_default();
                self.lines.insert(format!("impl {name}{} for {path}", arguments(&body["trait"]["args"])));
                continue;
            }
            let items: Vec<&Value> = self.items(&body["items"]).collect();
            for item in items {
                self.shown(item, &join(path, item["name"].as_str().unwrap_or_default()), path);
            }
        }
    }

    fn function(&mut self, body: &'a Value, path: &str) {
        let inputs = body["sig"]["inputs"].as_array().into_iter().flatten();
        let inputs: Vec<String> = inputs
            .map(|input| format!("{}: {}", input[0].as_str().unwrap_or("_"), type_text(&input[1])))
            .collect();
        let output = &body["sig"]["output"];
        let output = if output.is_null() { String::new() } else { format!(" -> {}", type_text(output)) };
        let asynchronous = if body["header"]["is_async"] == true { "async " } else { "" };
        self.lines.insert(format!("{asynchronous}fn {path}({}){output}", inputs.join(", ")));
    }
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}::{name}") }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_users_reach_is_listed_by_the_path_they_reach_it_by() {
        let string = json!({"resolved_path": {"path": "String", "id": 90, "args": null}});
        let method = json!({"function": {"header": {"is_async": true}, "sig": {
            "inputs": [["self", {"borrowed_ref": {"is_mutable": false, "type": {"generic": "Self"}}}]], "output": string}}});
        let description = json!({"root": 0, "index": {
            "0": {"id": 0, "name": "lib", "inner": {"module": {"items": [1]}}},
            "1": {"id": 1, "name": null, "inner": {"use": {"source": "inner::A", "name": "A", "id": 2, "is_glob": false}}},
            "2": {"id": 2, "name": "A", "inner": {"struct": {"kind": {"plain": {"fields": [3]}}, "impls": [4, 6]}}},
            "3": {"id": 3, "name": "text", "inner": {"struct_field": string}},
            "4": {"id": 4, "name": null, "inner": {"impl": {"trait": null, "items": [5], "blanket_impl": null}}},
            "5": {"id": 5, "name": "read", "inner": method},
            "6": {"id": 6, "name": null, "inner": {"impl": {"trait": {"path": "fmt::Debug", "args": null}, "items": [], "blanket_impl": null}}},
        }});
        let wanted =
            "async fn A::read(self: &Self) -> String\nfield A.text: String\nimpl Debug for A\nstruct A\n";
        assert_eq!(listing(&description), wanted);
    }
}
