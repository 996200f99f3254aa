//! Pages of a list, by the key of the last item or by numbers.

use serde_json::{Value, json};

use crate::api::{Asked, Told};
use crate::world::{Trouble, World};

/// What links start with: the name that this GitLab gives itself, which it isn't reached by.
const ELSEWHERE: &str = "https://gitlab.example/git/api/v4";

/// How a list is turned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turned {
    /// By keys, where that is asked for; of checks.
    ByKey,
    /// By numbers; of checks.
    ByNumber,
    /// By numbers; of settings, which no trouble with pages meets.
    Settings,
}

/// Answers a page of a list.
pub(crate) fn page(world: &World, asked: &Asked<'_>, mut items: Vec<Value>, turned: Turned) -> Told {
    let wants_keys = parameter(asked.query, "pagination") == Some("keyset");
    if turned == Turned::ByKey && wants_keys && world.numbers_only {
        let message = "Keyset pagination is not yet available for this type of request";
        return Told::json(405, &json!({ "error": message }));
    }
    let size = number(asked.query, "per_page").unwrap_or(20).clamp(1, 100);
    items.sort_by_key(|item| std::cmp::Reverse(item["id"].as_u64()));
    let by_key = turned == Turned::ByKey && wants_keys;
    let start = if by_key {
        let after = parameter(asked.query, "cursor").and_then(|cursor| cursor.parse::<u64>().ok());
        after.map_or(0, |after| items.iter().filter(|item| item["id"].as_u64() >= Some(after)).count())
    } else {
        (number(asked.query, "page").unwrap_or(1).max(1) - 1) * size
    };
    let (number, total) = (start / size + 1, items.len());
    if let Some(told) = in_trouble(world, number).filter(|_| turned != Turned::Settings) {
        return told;
    }
    let mut shown: Vec<Value> = items.into_iter().skip(start).take(size).collect();
    let last = start + shown.len() >= total;
    let cursor = shown.last().and_then(|item| item["id"].as_u64());
    if world.trouble == Trouble::PageIsShort && last && turned == Turned::ByNumber {
        shown.pop();
    }
    let mut told = Told::json(200, &json!(shown));
    if by_key {
        if let Some(cursor) = cursor.filter(|_| !last) {
            let others: Vec<&str> =
                asked.query.split('&').filter(|part| !part.starts_with("cursor=")).collect();
            let link =
                format!("<{ELSEWHERE}{}?{}&cursor={cursor}>; rel=\"next\"", asked.path, others.join("&"));
            told = told.with("link", &link);
        }
    } else {
        let next = if last { String::new() } else { (number + 1).to_string() };
        told = told.with("x-next-page", &next).with("x-total", &total).with("x-page", &number);
    }
    if world.trouble == Trouble::PagesAreUntold {
        told.headers.retain(|(name, _)| !matches!(*name, "link" | "x-next-page" | "x-total"));
    }
    if world.trouble == Trouble::PageIsCut(number) && turned != Turned::Settings {
        told.body.truncate(told.body.len() / 2);
    }
    told
}

fn in_trouble(world: &World, number: usize) -> Option<Told> {
    match world.trouble {
        Trouble::PageFails(failing) if failing == number => Some(Told::error(502, "502 Bad Gateway")),
        Trouble::PageIsMissing(missing) if missing == number => Some(Told::error(404, "404 Not Found")),
        _ => None,
    }
}

pub(crate) fn parameter<'a>(query: &'a str, name: &str) -> Option<&'a str> {
    query.split('&').find_map(|part| part.strip_prefix(name)?.strip_prefix('='))
}

fn number(query: &str, name: &str) -> Option<usize> {
    parameter(query, name)?.parse().ok()
}
