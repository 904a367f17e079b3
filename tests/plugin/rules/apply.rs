//! Rules of an apply (A), and of a final plan against the first (F2): what was promised must come.

use super::{Broken, join, write_only_is_null};
use crate::plugin::schema::Shape;
use crate::plugin::value::Val;

/// `failed`: the answer carries an error, so that promises may be broken but the state must still be one.
pub fn applied(shape: &Shape, planned: &Val, new: &Val, failed: bool, broken: &mut Broken) {
    write_only_is_null(shape, new, "", "A7", broken);
    if failed {
        return;
    }
    if planned.is_null() != new.is_null() {
        broken.add("A8", "", &format!("planned as {planned:?}, became {new:?}"));
        return;
    }
    if !new.wholly_known() {
        broken.add("A2", "", &format!("unknown values are left: {new:?}"));
    }
    compatible(planned, new, "", ["A1", "A3", "A4", "A5"], broken);
}

/// Whether `actual` keeps what `planned` promised. The rules are those for leaves, for null, for counts and for sets.
pub fn compatible(planned: &Val, actual: &Val, path: &str, rules: [&str; 4], broken: &mut Broken) {
    let [leaf, null, count, set] = rules;
    match (planned, actual) {
        (Val::Unknown, _) => {}
        (Val::Null, Val::Null) => {}
        (Val::Null, _) | (_, Val::Null) => {
            broken.add(
                null,
                path,
                &format!("planned as {planned:?}, became {actual:?}"),
            );
        }
        (Val::Map(planned), Val::Map(actual)) => {
            for (name, planned) in planned {
                match actual.get(name) {
                    Some(actual) => compatible(planned, actual, &join(path, name), rules, broken),
                    None => {
                        broken.add(count, &join(path, name), "has vanished");
                    }
                }
            }
            for name in actual.keys().filter(|name| !planned.contains_key(*name)) {
                broken.add(count, &join(path, name), "has appeared");
            }
        }
        (Val::List(planned), Val::List(actual)) => {
            if planned.len() != actual.len() {
                broken.add(
                    count,
                    path,
                    &format!("{} planned, became {}", planned.len(), actual.len()),
                );
            }
            for (index, (planned, actual)) in planned.iter().zip(actual).enumerate() {
                compatible(planned, actual, &format!("{path}[{index}]"), rules, broken);
            }
        }
        (Val::Set(planned), Val::Set(actual)) => {
            if actual.len() > planned.len() {
                broken.add(
                    set,
                    path,
                    &format!("{} planned, became {}", planned.len(), actual.len()),
                );
            }
            let fits = |planned: &Val, actual: &Val| {
                let mut wrong = Broken::default();
                compatible(planned, actual, path, rules, &mut wrong);
                wrong.0.is_empty()
            };
            for actual in actual
                .iter()
                .filter(|actual| !planned.iter().any(|planned| fits(planned, actual)))
            {
                broken.add(set, path, &format!("{actual:?} was not planned"));
            }
            for planned in planned
                .iter()
                .filter(|planned| !actual.iter().any(|actual| fits(planned, actual)))
            {
                broken.add(set, path, &format!("{planned:?} has not come"));
            }
        }
        (Val::Dynamic(planned_type, planned), Val::Dynamic(actual_type, actual)) => {
            if planned_type != actual_type {
                broken.add(
                    leaf,
                    path,
                    &format!("planned as {planned_type}, became {actual_type}"),
                );
            }
            compatible(planned, actual, path, rules, broken);
        }
        (planned, actual) => {
            if planned != actual {
                broken.add(
                    leaf,
                    path,
                    &format!("planned as {planned:?}, became {actual:?}"),
                );
            }
        }
    }
}
