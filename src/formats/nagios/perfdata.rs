//! Performance data of Nagios plug-ins: `'label'=value[unit];[warning];[critical];[min];[max]`.

/// The first measurement.
#[derive(Debug, PartialEq)]
pub(super) struct Measured {
    pub(super) value: f64,
    pub(super) unit: Option<String>,
    /// The limits, where they are plain numbers and not ranges.
    pub(super) warning: Option<f64>,
    pub(super) critical: Option<f64>,
}

/// Reads the first measurement, if there is one with a finite value.
pub(super) fn first(perfdata: &str) -> Option<Measured> {
    let rest = match perfdata.strip_prefix('\'') {
        Some(quoted) => quoted.split_once('\'')?.1.strip_prefix('=')?,
        None => perfdata.split_once('=')?.1,
    };
    let mut fields = rest.split_ascii_whitespace().next()?.split(';');
    let measured = fields.next()?;
    let end = measured.find(|c: char| !c.is_ascii_digit() && !matches!(c, '.' | '-' | '+')).unwrap_or(measured.len());
    let (number, unit) = measured.split_at(end);
    let mut limit = || fields.next().and_then(|limit| limit.parse().ok()).filter(|limit: &f64| limit.is_finite());
    Some(Measured {
        value: number.parse().ok().filter(|value: &f64| value.is_finite())?,
        unit: (!unit.is_empty()).then(|| unit.to_owned()),
        warning: limit(),
        critical: limit(),
    })
}

#[cfg(test)]
mod tests {
    use super::{Measured, first};

    #[test]
    fn plugins_measure_in_many_spellings() {
        let measured = |value, unit: &str, warning, critical| {
            let unit = (!unit.is_empty()).then(|| unit.to_owned());
            Some(Measured { value, unit, warning, critical })
        };
        for (text, expected) in [
            ("/=97%;80;90", measured(97.0, "%", Some(80.0), Some(90.0))),
            ("'disk free'=512.5MB;;100", measured(512.5, "MB", None, Some(100.0))),
            ("load1=0.71;5:;~:10 load5=1", measured(0.71, "", None, None)),
            ("t=-3", measured(-3.0, "", None, None)),
            ("", None),
            ("x", None),
            ("x=U;1;2", None),
            ("'open=1", None),
        ] {
            assert_eq!(first(text), expected, "{text}");
        }
    }
}
