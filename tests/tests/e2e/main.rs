//! The main job by the real binary on real git, one file a promise.

#![allow(clippy::unwrap_used, reason = "helpers of tests are not seen as tests by the lint")]

mod accidents;
mod announce;
mod bad_input;
mod check_config;
mod cli;
mod crashes;
mod demo;
mod deploy_examples;
mod deploy_faults;
mod deploy_hooks;
mod deploy_pull;
mod deploy_tls;
mod deploy_triggers;
mod evict;
mod github;
mod github_emulate;
mod github_example;
mod gitlab;
mod gitlab_example;
mod image_app;
mod image_build;
mod image_login;
mod image_memory;
mod image_stop;
mod image_users;
mod kubernetes_example;
mod land;
mod late_results;
mod message;
mod observe;
mod operate;
mod outages;
mod pages;
mod people;
mod readme;
mod render;
mod replicas;
mod runs;
mod signing;
mod trust;
mod verify_images;
mod waves;
mod webhooks;
