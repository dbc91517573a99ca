#![doc = include_str!("README.md")]

pub mod breaks;
pub mod domain;
pub mod planner;
pub mod store;
pub mod keyring;
pub mod telemetry;
pub mod engine;
pub mod api;
pub mod config;
pub mod app;
pub mod cli;
