//! Rules of a plan (P): what a provider may make of a configuration.

use super::{Broken, elements, join, write_only_is_null};
use crate::plugin::messages6::AttributePath;
use crate::plugin::messages6::attribute_path::step::Selector;
use crate::plugin::schema::{Attribute, Nesting, Of, Shape};
use crate::plugin::value::Val;

/// A plan as it comes, in the form that the schema gives its values.
pub struct PlanAnswer<'a> {
    pub prior: &'a Val,
    pub config: &'a Val,
    pub planned: &'a Val,
    pub requires_replace: &'a [AttributePath],
}

pub fn planned(shape: &Shape, answer: &PlanAnswer<'_>, broken: &mut Broken) {
    let PlanAnswer {
        prior,
        config,
        planned,
        requires_replace,
    } = answer;
    if config.is_null() {
        if !planned.is_null() {
            broken.add("P10", "", "a destroy plan that is not null");
        }
        return;
    }
    if planned.is_null() || !planned.is_known() {
        broken.add(
            "P1",
            "",
            &format!("planned as {planned:?} although it is configured"),
        );
        return;
    }
    write_only_is_null(shape, planned, "", "P5", broken);
    object(shape, prior, config, planned, "", broken);
    for path in *requires_replace {
        if !prior.is_null() && lookup(prior, path).is_none() && lookup(planned, path).is_none() {
            broken.add(
                "P9",
                &format!("{:?}", path.steps),
                "must be replaced, but is not there",
            );
        }
    }
}

fn object(
    shape: &Shape,
    prior: &Val,
    config: &Val,
    planned: &Val,
    path: &str,
    broken: &mut Broken,
) {
    for (name, of) in &shape.attributes {
        let path = join(path, name);
        attribute(
            of,
            prior.get(name),
            config.get(name),
            planned.get(name),
            &path,
            broken,
        );
    }
    for (name, block) in &shape.blocks {
        let path = join(path, name);
        if block.computed {
            continue;
        }
        let (prior, config, planned) = (prior.get(name), config.get(name), planned.get(name));
        blocks(
            block.nesting,
            &block.shape,
            [prior, config, planned],
            &path,
            broken,
        );
    }
}

fn attribute(
    of: &Attribute,
    prior: &Val,
    config: &Val,
    planned: &Val,
    path: &str,
    broken: &mut Broken,
) {
    if of.write_only || planned == config {
        return;
    }
    if config.is_null() {
        if !of.computed {
            broken.add(
                "P3",
                path,
                &format!("planned as {planned:?}, but is neither configured nor computed"),
            );
        }
        return;
    }
    if planned == prior && !prior.is_null() {
        return;
    }
    match &of.of {
        Of::Nested(nesting, shape) if config.is_known() => {
            if planned.is_null() || !planned.is_known() {
                broken.add(
                    "P6",
                    path,
                    &format!("planned as {planned:?} although it is configured"),
                );
            } else {
                nested(
                    *nesting,
                    shape,
                    [prior, config, planned],
                    path,
                    "P6",
                    broken,
                );
            }
        }
        _ => {
            broken.add(
                "P2",
                path,
                &format!("configured as {config:?}, planned as {planned:?}"),
            );
        }
    }
}

fn blocks(nesting: Nesting, shape: &Shape, values: [&Val; 3], path: &str, broken: &mut Broken) {
    let [prior, config, planned] = values;
    if nesting == Nesting::Single && config.is_null() && planned.is_null() {
        return;
    }
    if !config.is_known() {
        if planned.is_known() {
            broken.add("P7", path, "an unknown dynamic block must stay unknown");
        }
        return;
    }
    if planned.is_null() != config.is_null() || !planned.is_known() {
        broken.add(
            "P7",
            path,
            &format!("a block planned as {planned:?}, configured as {config:?}"),
        );
        return;
    }
    nested(nesting, shape, [prior, config, planned], path, "P7", broken);
}

/// Elements and their counts, for nested attributes and for blocks.
fn nested(
    nesting: Nesting,
    shape: &Shape,
    values: [&Val; 3],
    path: &str,
    rule: &str,
    broken: &mut Broken,
) {
    let [prior, config, planned] = values;
    let (wanted, got) = (
        elements(nesting, config, path),
        elements(nesting, planned, path),
    );
    if wanted.len() != got.len() {
        broken.add(
            rule,
            path,
            &format!("{} configured, {} planned", wanted.len(), got.len()),
        );
        return;
    }
    if nesting == Nesting::Set {
        return set(shape, [prior, config, planned], path, rule, broken);
    }
    let before = elements(nesting, prior, path);
    for ((place, config), (planned_place, planned)) in wanted.into_iter().zip(got) {
        if place != planned_place {
            broken.add(rule, &place, &format!("planned at {planned_place}"));
            continue;
        }
        let prior = before
            .iter()
            .find(|(at, _)| *at == place)
            .map_or(&Val::Null, |(_, prior)| *prior);
        if !config.is_known() {
            if config != planned {
                broken.add(rule, &place, "an unknown element must stay unknown");
            }
        } else if planned.is_null() != config.is_null() || !planned.is_known() {
            broken.add(rule, &place, &format!("an element planned as {planned:?}"));
        } else {
            object(shape, prior, config, planned, &place, broken);
        }
    }
}

/// In a set nothing says which element is which: each must be a plan of one that is configured.
fn set(shape: &Shape, values: [&Val; 3], path: &str, rule: &str, broken: &mut Broken) {
    let [prior, config, planned] = values;
    let before: Vec<&Val> = elements(Nesting::Set, prior, path)
        .into_iter()
        .map(|(_, value)| value)
        .collect();
    for (place, planned) in elements(Nesting::Set, planned, path) {
        let fits = elements(Nesting::Set, config, path)
            .into_iter()
            .any(|(_, config)| {
                before.iter().copied().chain([&Val::Null]).any(|prior| {
                    let mut wrong = Broken::default();
                    object(shape, prior, config, planned, &place, &mut wrong);
                    wrong.0.is_empty()
                })
            });
        if !fits {
            broken.add(
                rule,
                &place,
                &format!("{planned:?} is no plan of any configured element"),
            );
        }
    }
}

fn lookup<'a>(value: &'a Val, path: &AttributePath) -> Option<&'a Val> {
    path.steps.iter().try_fold(value, |value, step| {
        match (step.selector.as_ref()?, value) {
            // Inside of what is unknown or null everything may be.
            (_, open @ (Val::Unknown | Val::Null)) => Some(open),
            (
                Selector::AttributeName(name) | Selector::ElementKeyString(name),
                Val::Map(members),
            ) => members.get(name),
            (Selector::ElementKeyInt(index), Val::List(values)) => {
                values.get(usize::try_from(*index).ok()?)
            }
            // Elements of sets have no key on the wire.
            (_, set @ Val::Set(_)) => Some(set),
            (_, Val::Dynamic(..)) => Some(value),
            _ => None,
        }
    })
}
