//! The API: a request, the world, an answer.

use cfgupdater_tests_forge_server::now;
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use crate::paging::{Turned, page, parameter};
use crate::world::{Job, Kind, Pipeline, Trouble, World};
use crate::{BOT_ID, PROJECT, PROJECT_ID, answers};

/// Requests that are taken in a minute.
const LIMIT: usize = 2000;

/// What the token of a user begins with, who may post statuses.
const USER_TOKEN: &str = "glpat-of-";

/// What is asked.
#[derive(Debug)]
pub(crate) struct Asked<'a> {
    pub(crate) method: &'a str,
    /// Below `/api/v4`.
    pub(crate) path: &'a str,
    pub(crate) query: &'a str,
    pub(crate) token: &'a str,
}

/// What is answered.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
}

impl Told {
    pub(crate) fn json(status: u16, body: &Value) -> Self {
        Self { status, headers: Vec::new(), body: body.to_string().into_bytes() }
    }

    pub(crate) fn error(status: u16, message: &str) -> Self {
        Self::json(status, &json!({ "message": message }))
    }

    pub(crate) fn with(mut self, name: &'static str, value: &impl ToString) -> Self {
        self.headers.push((name, value.to_string()));
        self
    }
}

/// Answers.
pub(crate) fn answer(world: &mut World, asked: &Asked<'_>) -> Told {
    world.requests.push(format!("{} {}?{}", asked.method, asked.path, asked.query));
    let told = match in_trouble(world, asked) {
        Some(told) => told,
        None => route(world, asked),
    };
    let left = LIMIT.saturating_sub(world.requests.len());
    told.with("ratelimit-limit", &LIMIT)
        .with("ratelimit-remaining", &left)
        .with("ratelimit-reset", &(now() + 60))
}

fn in_trouble(world: &World, asked: &Asked<'_>) -> Option<Told> {
    let of_checks = asked.path.contains("/pipelines") || asked.path.contains("/statuses");
    match &world.trouble {
        Trouble::RateLimited(after) => {
            let told = Told { status: 429, headers: Vec::new(), body: b"Retry later\n".to_vec() };
            Some(after.iter().fold(told, |told, seconds| told.with("retry-after", seconds)))
        }
        Trouble::Unavailable => Some(Told {
            status: 503,
            headers: Vec::new(),
            body: b"<html>GitLab is not responding</html>".to_vec(),
        }),
        Trouble::CommitUnknown(sha) if asked.path.contains(sha.as_str()) => {
            Some(Told::error(404, "404 Commit Not Found"))
        }
        Trouble::ProjectGone if asked.path.starts_with("/projects/") => {
            Some(Told::error(404, "404 Project Not Found"))
        }
        Trouble::TokenRevoked => Some(Told::error(401, "401 Unauthorized")),
        Trouble::Answers(part, status) if asked.path.contains(part) => {
            Some(Told::error(*status, &format!("{status} as told")))
        }
        Trouble::ChecksForbidden if of_checks => Some(Told::error(403, "403 Forbidden")),
        _ => None,
    }
}

fn route(world: &mut World, asked: &Asked<'_>) -> Told {
    if let Some(user) = asked.token.strip_prefix(USER_TOKEN) {
        return as_user(world, asked, user);
    }
    if world.expired.as_deref() == Some(asked.token) {
        let words = "Token is expired. You can either do re-authorization or token refresh.";
        return Told::json(401, &json!({ "error": "invalid_token", "error_description": words }));
    }
    if asked.token != world.token {
        return Told::error(401, "401 Unauthorized");
    }
    let parts: Vec<String> = asked
        .path
        .split('/')
        .skip(1)
        .map(|part| percent_decode_str(part).decode_utf8_lossy().into_owned())
        .collect();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    match (asked.method, parts.as_slice()) {
        ("GET", ["personal_access_tokens", "self"]) => Told::json(200, &answers::token(world)),
        ("GET", ["projects", project, rest @ ..]) => {
            if *project != PROJECT && *project != PROJECT_ID.to_string() {
                return Told::error(404, "404 Project Not Found");
            }
            of_project(world, asked, rest)
        }
        _ => Told::error(404, "404 Not Found"),
    }
}

/// Posts a status. Two for the same commit at once meet in one lock: the second is told to come again.
fn as_user(world: &mut World, asked: &Asked<'_>, user: &str) -> Told {
    let parts: Vec<&str> = asked.path.split('/').skip(1).collect();
    let parameter = |name| parameter(asked.query, name);
    let (("POST", ["projects", _, "statuses", sha]), Some(name), Some(state), Some(branch)) =
        ((asked.method, parts.as_slice()), parameter("name"), parameter("state"), parameter("ref"))
    else {
        return Told::error(400, "400 Bad request");
    };
    if world.is_protected(branch) && !world.trusted.iter().any(|trusted| trusted == user) {
        return Told::error(403, "403 Forbidden");
    }
    if world.contended > 0 {
        world.contended -= 1;
        return Told::error(409, "Another update to this commit status is in progress");
    }
    let id = world.status(sha, branch, name, state, user);
    Told::json(201, &json!({ "id": id, "sha": sha, "name": name, "status": state }))
}

fn of_project(world: &World, asked: &Asked<'_>, rest: &[&str]) -> Told {
    match rest {
        [] => Told::json(200, &answers::project(world)),
        ["repository", "commits", sha, "statuses"] => statuses(world, asked, sha),
        ["pipelines"] => pipelines(world, asked),
        ["pipelines", id, kind @ ("jobs" | "bridges")] => {
            let Some(pipeline) = world.pipelines.iter().find(|pipeline| pipeline.id.to_string() == **id)
            else {
                return Told::error(404, "404 Not Found");
            };
            let all = parameter(asked.query, "include_retried") == Some("true");
            let fits = |job: &&Job| match job.kind {
                Kind::Job => *kind == "jobs",
                Kind::Bridge(_) => *kind == "bridges",
                Kind::Status(_) => false,
            };
            let inside = world.jobs.iter().filter(|job| job.pipeline == pipeline.id && (all || !job.retried));
            let listed = inside.filter(fits).map(|job| answers::job(world, job)).collect();
            page(world, asked, listed, if *kind == "jobs" { Turned::ByKey } else { Turned::ByNumber })
        }
        ["members", "all", id] if *id == BOT_ID.to_string() => Told::json(200, &answers::member(world)),
        ["protected_branches"] => page(world, asked, world.protected.clone(), Turned::Settings),
        ["hooks"] => page(world, asked, answers::hooks(world), Turned::Settings),
        ["push_rule"] => match &world.push_rules {
            Some(rules) => Told::json(200, rules),
            None => Told::error(404, "404 Not Found"),
        },
        _ => Told::error(404, "404 Not Found"),
    }
}

/// Lists statuses, jobs and bridges of every pipeline of a commit but children.
fn statuses(world: &World, asked: &Asked<'_>, sha: &str) -> Told {
    let fits = |pipeline: &&Pipeline| pipeline.sha == sha && pipeline.source != "parent_pipeline";
    let of: Vec<u64> = world.pipelines.iter().filter(fits).map(|pipeline| pipeline.id).collect();
    let all = parameter(asked.query, "all") == Some("true");
    let listed = world.jobs.iter().filter(|job| of.contains(&job.pipeline) && (all || !job.retried));
    page(world, asked, listed.map(|job| answers::status(world, job)).collect(), Turned::ByNumber)
}

/// Lists pipelines of a commit; children only where they are asked for.
fn pipelines(world: &World, asked: &Asked<'_>) -> Told {
    let (sha, source) = (parameter(asked.query, "sha"), parameter(asked.query, "source"));
    let listed = world.pipelines.iter().filter(|pipeline| {
        sha.is_none_or(|sha| pipeline.sha == sha)
            && source.map_or(pipeline.source != "parent_pipeline", |source| pipeline.source == source)
    });
    page(world, asked, listed.map(|pipeline| answers::pipeline(world, pipeline)).collect(), Turned::ByKey)
}
