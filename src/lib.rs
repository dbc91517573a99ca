#![doc = include_str!("README.md")]

pub mod api;
pub mod app;
pub mod breaks;
pub mod city_file;
pub mod cli;
pub mod config;
pub mod domain;
pub mod engine;
pub mod forecaster;
pub mod keyring;
pub mod planner;
pub mod store;
pub mod telemetry;
