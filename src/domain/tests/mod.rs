//! The fold under test: tables in the words of the trade, and what holds whatever the order.

mod calling;
mod collection;
mod custody;
mod judging;
mod lab;
mod ledger;
mod notebook;
mod order;
mod recalls;
mod rules;
mod sources;
mod table;
