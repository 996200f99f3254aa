//! The API: a request, the world, an answer.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use cfgupdater_tests_forge_server::{now, time};
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use crate::world::{Trouble, World};
use crate::{INSTALLATION, REPOSITORY, REPOSITORY_ID, TOKEN, answers, app, schema};

/// What is asked.
#[derive(Debug)]
pub(crate) struct Asked<'a> {
    pub(crate) method: &'a str,
    /// Below `/api/v3`.
    pub(crate) path: &'a str,
    pub(crate) query: &'a str,
    pub(crate) token: &'a str,
    pub(crate) known: Option<&'a str>,
    pub(crate) body: &'a [u8],
    /// What links start with.
    pub(crate) base: &'a str,
}

/// What is answered.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
}

impl Told {
    fn json(status: u16, body: &Value) -> Self {
        Self { status, headers: Vec::new(), body: body.to_string().into_bytes() }
    }

    fn error(status: u16, message: &str) -> Self {
        Self::json(
            status,
            &json!({ "message": message, "documentation_url": "https://docs.github.com/rest" }),
        )
    }

    fn with(mut self, name: &'static str, value: &impl ToString) -> Self {
        self.headers.push((name, value.to_string()));
        self
    }
}

/// Answers, and notes what GitHub would not have answered so.
pub(crate) fn answer(world: &mut World, asked: &Asked<'_>) -> Told {
    world.requests.push(format!("{} {}?{}", asked.method, asked.path, asked.query));
    let mut told = match limited(world, asked).or_else(|| in_trouble(world, asked)) {
        Some(told) => told,
        None => route(world, asked),
    };
    if world.trouble == Trouble::None
        && let Ok(body) = serde_json::from_slice(&told.body)
    {
        // The description knows repositories by their names alone.
        let path =
            asked.path.replace(&format!("/repositories/{REPOSITORY_ID}"), &format!("/repos/{REPOSITORY}"));
        world.violations.extend(schema::violation(asked.method, &path, told.status, &body));
    }
    if told.status == 200 {
        let mut hash = DefaultHasher::new();
        (&told.body, &told.headers.iter().find(|(name, _)| *name == "link")).hash(&mut hash);
        let mark = format!("W/\"{:x}\"", hash.finish());
        if asked.known == Some(&mark) {
            told = Told { status: 304, headers: Vec::new(), body: Vec::new() };
        }
        told = told.with("etag", &mark);
    }
    let of_app = asked.path.starts_with("/app/") || asked.path.ends_with("/installation");
    let left = world
        .app_remaining
        .filter(|_| of_app)
        .unwrap_or(5000_u64.saturating_sub(world.requests.len() as u64));
    let told = if told.headers.iter().any(|(name, _)| *name == "x-ratelimit-remaining") {
        told
    } else {
        told.with("x-ratelimit-remaining", &left)
    };
    let told = told.with("x-ratelimit-limit", &5000);
    let ends = told.headers.iter().any(|(name, _)| *name == "x-ratelimit-reset");
    if ends { told } else { told.with("x-ratelimit-reset", &(now() + 3600)) }
}

/// Refuses while the limit holds, which begins with a question after check runs: statuses have been read by then.
fn limited(world: &mut World, asked: &Asked<'_>) -> Option<Told> {
    let Trouble::LimitedFor { seconds, secondary } = world.trouble else { return None };
    match world.limited_until {
        None if asked.path.ends_with("/check-runs") => {}
        None => return None,
        // Of what is asked at once nothing is asked twice.
        Some(until) if SystemTime::now() < until => {
            let asked_again = !world.asked_since.insert(format!("{}?{}", asked.path, asked.query));
            world.impatient += usize::from(asked_again);
        }
        Some(_) => {
            (world.limited_until, world.trouble) = (None, Trouble::None);
            world.asked_since.clear();
            return None;
        }
    }
    if secondary {
        world.limited_until.get_or_insert(SystemTime::now() + Duration::from_secs(seconds));
        let refused = Told::error(403, "You have exceeded a secondary rate limit.");
        return Some(refused.with("retry-after", &seconds).with("x-ratelimit-remaining", &4000));
    }
    let end = now() + seconds;
    world.limited_until.get_or_insert(UNIX_EPOCH + Duration::from_secs(end));
    let refused = Told::error(403, "API rate limit exceeded for installation ID 42.");
    Some(refused.with("x-ratelimit-remaining", &0).with("x-ratelimit-reset", &end))
}

fn in_trouble(world: &World, asked: &Asked<'_>) -> Option<Told> {
    let of_checks = asked.path.contains("/commits/");
    let page = parameter(asked.query, "page").unwrap_or(1);
    match &world.trouble {
        Trouble::RateLimited(Some(seconds)) => {
            Some(Told::error(403, "You have exceeded a secondary rate limit.").with("retry-after", seconds))
        }
        Trouble::RateLimited(None) => Some(Told::error(403, "You have exceeded a secondary rate limit.")),
        Trouble::Unavailable => {
            Some(Told { status: 503, headers: Vec::new(), body: b"<html>Unicorn!</html>".to_vec() })
        }
        Trouble::PageFails(number) if of_checks && page == *number => Some(Told::error(502, "Server Error")),
        Trouble::CommitUnknown(sha) if asked.path.contains(sha.as_str()) => {
            Some(Told::error(422, &format!("No commit found for SHA: {sha}")))
        }
        Trouble::RepositoryGone if asked.path.starts_with("/repos") => Some(Told::error(404, "Not Found")),
        Trouble::TokenRevoked => Some(Told::error(401, "Bad credentials")),
        Trouble::ChecksForbidden if of_checks => {
            Some(Told::error(403, "Resource not accessible by integration"))
        }
        Trouble::RequiredForbidden if asked.path.contains("/protection") => {
            Some(Told::error(403, "Resource not accessible by integration"))
        }
        _ => None,
    }
}

fn route(world: &mut World, asked: &Asked<'_>) -> Told {
    let parts: Vec<String> = asked
        .path
        .split('/')
        .skip(1)
        .map(|part| percent_decode_str(part).decode_utf8_lossy().into_owned())
        .collect();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    match (asked.method, parts.as_slice()) {
        (_, ["app", ..]) | ("GET", ["repos", _, _, "installation"]) => as_app(world, asked, &parts),
        (_, ["repos", owner, name, rest @ ..]) => {
            if format!("{owner}/{name}") == REPOSITORY {
                of_repository(world, asked, rest)
            } else {
                Told::error(404, "Not Found")
            }
        }
        (_, ["repositories", id, rest @ ..]) if *id == REPOSITORY_ID.to_string() => {
            of_repository(world, asked, rest)
        }
        _ => Told::error(404, "Not Found"),
    }
}

fn as_app(world: &mut World, asked: &Asked<'_>, parts: &[&str]) -> Told {
    if !app::is_word(asked.token, now()) {
        return Told::error(401, "A JSON web token could not be decoded");
    }
    match (asked.method, parts) {
        ("GET", ["repos", owner, name, "installation"]) if format!("{owner}/{name}") == REPOSITORY => {
            Told::json(200, &answers::installation(world.lacks.as_deref()))
        }
        ("POST", ["app", "installations", id, "access_tokens"]) if *id == INSTALLATION.to_string() => {
            make_token(world, asked)
        }
        ("GET", ["app", "hook", "deliveries"]) => Told::json(200, &json!(world.deliveries)),
        ("POST", ["app", "hook", "deliveries", id, "attempts"]) => {
            world.redelivered.extend(id.parse::<u64>());
            Told::json(202, &json!({}))
        }
        _ => Told::error(404, "Not Found"),
    }
}

fn make_token(world: &mut World, asked: &Asked<'_>) -> Told {
    let wanted: Value = serde_json::from_slice(asked.body).unwrap_or_default();
    world.token_requests.push(wanted.clone());
    if world.lacks.as_deref().is_some_and(|lacks| wanted["permissions"].get(lacks).is_some()) {
        return Told::error(422, "The permissions requested are not granted to this installation.");
    }
    let token = format!("ghs_canary{:08}", world.id());
    world.tokens.insert(token.clone());
    if wanted["permissions"]["administration"].is_null() {
        world.lesser_tokens.insert(token.clone());
    }
    let seconds = if world.token_seconds == 0 { 3600 } else { world.token_seconds };
    Told::json(201, &json!({ "token": token, "expires_at": time(now() + seconds) }))
}

fn of_repository(world: &World, asked: &Asked<'_>, rest: &[&str]) -> Told {
    if asked.token != TOKEN && !world.tokens.contains(asked.token) {
        return Told::error(401, "Bad credentials");
    }
    if rest.contains(&"protection") && world.lesser_tokens.contains(asked.token) {
        return Told::error(403, "Resource not accessible by integration");
    }
    match rest {
        [] => Told::json(200, &answers::repository(!world.pushes_refused)),
        ["commits", sha, "statuses"] => list(world, asked, &world.statuses_of(sha), None),
        ["commits", sha, "check-runs"] => list(world, asked, &world.latest_runs_of(sha), Some("check_runs")),
        ["branches", "master", "protection", "required_status_checks"] => match &world.protection {
            Some(protection) => Told::json(200, protection),
            None => Told::error(404, "Branch not protected"),
        },
        ["branches", branch, "protection"] => match world.protection_of(branch) {
            Some(protection) => Told::json(200, &protection),
            None => Told::error(404, "Branch not protected"),
        },
        ["branches", _, "protection", ..] => Told::error(404, "Branch not protected"),
        ["rules", "branches", "master"] => list(world, asked, &world.rules, None),
        ["rules", "branches", branch] => {
            list(world, asked, world.rules_of.get(*branch).map_or(&[], Vec::as_slice), None)
        }
        ["rulesets", id] => match id.parse().ok().and_then(|id: u64| world.rulesets.get(&id)) {
            Some(ruleset) => Told::json(200, ruleset),
            None => Told::error(404, "Not Found"),
        },
        ["contents", ".github", "workflows"] if !world.workflows.is_empty() => {
            let listed = world.workflows.iter().map(|(name, text)| answers::listed(name, text));
            Told::json(200, &listed.collect())
        }
        ["contents", ".github", "workflows", name] => match world.workflows.get(*name) {
            Some(text) => Told::json(200, &answers::file(name, text)),
            None => Told::error(404, "Not Found"),
        },
        _ => Told::error(404, "Not Found"),
    }
}

/// Answers a page of a list.
fn list(world: &World, asked: &Asked<'_>, items: &[Value], key: Option<&str>) -> Told {
    let size = parameter(asked.query, "per_page").unwrap_or(30).clamp(1, 100);
    let page = parameter(asked.query, "page").unwrap_or(1).max(1);
    let mut shown: Vec<Value> = items.iter().skip((page - 1) * size).take(size).cloned().collect();
    let last = page * size >= items.len();
    if world.trouble == Trouble::PageIsShort && last {
        shown.pop();
    }
    let body = match key {
        Some(key) => json!({ "total_count": items.len(), key: shown }),
        None => json!(shown),
    };
    let mut told = Told::json(200, &body);
    if !last {
        let others: Vec<&str> = asked.query.split('&').filter(|part| !part.starts_with("page=")).collect();
        // Links name the repository by its number, whatever was asked for.
        let by_name = format!("/repos/{REPOSITORY}/");
        let path = asked.path.replace(&by_name, &format!("/repositories/{REPOSITORY_ID}/"));
        let link = |page: usize| format!("{}{path}?{}&page={page}", asked.base, others.join("&"));
        let link = format!(
            "<{}>; rel=\"next\", <{}>; rel=\"last\"",
            link(page + 1),
            link(items.len().div_ceil(size))
        );
        told = told.with("link", &link);
    }
    if world.trouble == Trouble::PageIsCut(page) && asked.path.contains("/commits/") {
        told.body.truncate(told.body.len() / 2);
    }
    told
}

fn parameter(query: &str, name: &str) -> Option<usize> {
    query.split('&').find_map(|part| part.strip_prefix(name)?.strip_prefix('=')?.parse().ok())
}
