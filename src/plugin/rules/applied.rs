//! A1 to A6: a result keeps what was planned.

use super::{super::Path, Broken};
use crate::plugin::Dynamic;

/// A1 to A6: whether a result is what was planned. Unknown parts of the plan may have become anything.
pub fn applied(planned: &Dynamic, result: &Dynamic) -> Vec<Broken> {
    let mut found = Vec::new();
    compatible(planned, result, &Path::root(), &mut found);
    found
}

fn compatible(planned: &Dynamic, result: &Dynamic, path: &Path, found: &mut Vec<Broken>) {
    if let Dynamic::Typed(typed) = planned
        && let Dynamic::Typed(result) = result
        && typed.0 != result.0
    {
        found.push(Broken::new(
            "A1",
            path,
            "Returned a value of another type than planned",
        ));
        return;
    }
    match (planned.inner(), result.inner()) {
        // What is still unknown in the result is found by another rule.
        (Dynamic::Unknown, _) | (_, Dynamic::Unknown) => {}
        (Dynamic::Null, Dynamic::Null) => {}
        (Dynamic::Null, _) | (_, Dynamic::Null) => {
            found.push(Broken::new(
                "A3",
                path,
                "Returned null where a value was planned, or the reverse",
            ));
        }
        (Dynamic::List(planned), Dynamic::List(result))
        | (Dynamic::Tuple(planned), Dynamic::Tuple(result)) => {
            if planned.len() != result.len() {
                found.push(Broken::new(
                    "A4",
                    path,
                    "Returned more or fewer elements than planned",
                ));
                return;
            }
            for (index, (planned, result)) in planned.iter().zip(result).enumerate() {
                compatible(planned, result, &path.clone().index(index as i64), found);
            }
        }
        (Dynamic::Map(planned), Dynamic::Map(result)) => {
            if !planned.keys().eq(result.keys()) {
                found.push(Broken::new("A4", path, "Returned other keys than planned"));
                return;
            }
            for ((key, planned), result) in planned.iter().zip(result.values()) {
                compatible(planned, result, &path.clone().key(key), found);
            }
        }
        (Dynamic::Object(planned), Dynamic::Object(result)) => {
            for (name, planned) in planned {
                let result = result.get(name).unwrap_or(&Dynamic::Null);
                compatible(planned, result, &path.clone().attr(name), found);
            }
        }
        (Dynamic::Set(planned), Dynamic::Set(result)) => sets(planned, result, path, found),
        (planned, result) if planned == result => {}
        _ => found.push(Broken::new(
            "A1",
            path,
            "Returned another value than planned",
        )),
    }
}

/// A5: every planned element is found again, and none that was not planned; unknown ones may have become equal.
fn sets(planned: &[Dynamic], result: &[Dynamic], path: &Path, found: &mut Vec<Broken>) {
    let fits = |planned: &Dynamic, result: &Dynamic| {
        let mut found = Vec::new();
        compatible(planned, result, path, &mut found);
        found.is_empty()
    };
    let all_planned = planned
        .iter()
        .all(|planned| result.iter().any(|result| fits(planned, result)));
    let all_result = result
        .iter()
        .all(|result| planned.iter().any(|planned| fits(planned, result)));
    if !all_planned || !all_result || result.len() > planned.len() {
        found.push(Broken::new(
            "A5",
            path,
            "Returned other elements of a set than planned",
        ));
    }
}
