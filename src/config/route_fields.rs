//! Everything that may stand in a route.

use super::field::{Field, Form, Object};

/// A route.
pub(super) const ROUTE: Object = Object::new(
    "route",
    "Which page goes to whom. The matchers see `service`, `host`, `check` (of the origin) and `severity` of the page.",
    &[
        Field::required("name", Form::Name, "Its name, unique among the routes.").example("shop"),
        Field::new("match", Form::OneOrMany(&Form::PageMatcher), "All matchers must fit. None = every page.")
            .example("'service=~\"web|checkout\"'"),
        Field::required(
            "receivers",
            Form::OneOrMany(&Form::Name),
            "The names of the receivers, all of which are told.",
        )
        .example("[night shift, console]"),
    ],
);
