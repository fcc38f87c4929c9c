//! The numbers of the detector, in the words of somebody on call. One set for every series; none is fitted to one.

/// What the detector hangs on. `docs/EVALUATION.md` shows what becomes of its scores when each moves by a quarter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Constants {
    /// "Never as high in weeks": the range forgets after one to two times this, in days.
    pub range_days: f32,
    /// … but not before so many samples, because few samples have many records.
    pub range_samples: u32,
    /// One value widens the range at most by so many times its width: an outlier does not deafen.
    pub range_most: f32,
    /// The range says nothing before so many samples.
    pub warm_up: u16,
    /// So far outside of the range counts as one point of score: a share of its width.
    pub range_scale: f32,
    /// Samples in a block whose drift is watched: two hours at five minutes.
    pub drift_block: u16,
    /// Samples in a block that is predicted: an hour at five minutes.
    pub residual_block: u16,
    /// After so many samples the record of drift has lost half of its lead: four days at five minutes.
    pub drift_half: f32,
    /// The same for the records of what was predicted: eight days at five minutes.
    pub residual_half: f32,
    /// A record says nothing before so many blocks.
    pub record_warm_up: u16,
    /// A new record is at most so many times the old one: an outlier does not deafen.
    pub record_most: f32,
    /// Added to both sides when a statistic is held against its record, so that records near nothing say nothing.
    pub record_soft: f32,
    /// So far beyond the record (as a logarithm) is still nothing, for drift: 0.1 = by a tenth.
    pub drift_margin: f32,
    /// The same for a block against its best predictor.
    pub residual_margin: f32,
    /// The same for a block against its hour of the day.
    pub hourly_margin: f32,
    /// So far beyond the margin counts as one point of score.
    pub record_scale: f32,
    /// The weight of a new block in what counts as recent: 0.1 = about ten blocks.
    pub fast: f32,
    /// The weight of a new block in what counts as usual: 0.01 = about a hundred blocks.
    pub slow: f32,
    /// The weight of a new day in what an hour of the day usually shows.
    pub season: f32,
    /// A predictor's error counts at most as so many times the usual one: an outlier does not deafen.
    pub error_most: f32,
    /// What is smaller than this share of the range is no deviation.
    pub least: f32,
    /// After something unusual, so many samples hold back what is less so: six hours at five minutes.
    pub refractory: u16,
}

impl Constants {
    /// The shipped set.
    pub const SHIPPED: Self = Self {
        range_days: 28.0,
        range_samples: 2_000,
        range_most: 3.0,
        warm_up: 50,
        range_scale: 0.1,
        drift_block: 24,
        residual_block: 12,
        drift_half: 1_155.0,
        residual_half: 2_310.0,
        record_warm_up: 50,
        record_most: 3.0,
        record_soft: 0.5,
        drift_margin: 0.1,
        residual_margin: 0.2,
        hourly_margin: 0.3,
        record_scale: 0.3,
        fast: 0.1,
        slow: 0.01,
        season: 0.15,
        error_most: 5.0,
        least: 0.01,
        refractory: 75,
    };

    /// What a block leaves of the lead of a record of drift: 2^(−block ÷ half-life).
    pub(super) fn drift_keep(&self) -> f32 {
        libm::exp2f(-f32::from(self.drift_block) / self.drift_half)
    }

    /// The same for the records of what was predicted.
    pub(super) fn residual_keep(&self) -> f32 {
        libm::exp2f(-f32::from(self.residual_block) / self.residual_half)
    }

    /// This set with one constant changed, by its name in this struct.
    ///
    /// # Errors
    /// When no constant has this name (all names are told), or the value is not finite, not above 0 or too large.
    pub fn with(mut self, name: &str, value: f64) -> Result<Self, String> {
        if !(value > 0.0 && value <= f64::from(u16::MAX)) {
            return Err(format!("{value} is no value for a constant: it must lie above 0, up to {}", u16::MAX));
        }
        let names = self.places().iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
        let places = self.places();
        let Some((_, place)) = places.into_iter().find(|(known, _)| *known == name) else {
            return Err(format!("the detector has no constant `{name}`; it has {names}"));
        };
        place.put(value);
        Ok(self)
    }

    /// All constants by name.
    fn places(&mut self) -> [(&'static str, Place<'_>); 22] {
        [
            ("range_days", Place::Real(&mut self.range_days)),
            ("range_samples", Place::Long(&mut self.range_samples)),
            ("range_most", Place::Real(&mut self.range_most)),
            ("warm_up", Place::Count(&mut self.warm_up)),
            ("range_scale", Place::Real(&mut self.range_scale)),
            ("drift_block", Place::Count(&mut self.drift_block)),
            ("residual_block", Place::Count(&mut self.residual_block)),
            ("drift_half", Place::Real(&mut self.drift_half)),
            ("residual_half", Place::Real(&mut self.residual_half)),
            ("record_warm_up", Place::Count(&mut self.record_warm_up)),
            ("record_most", Place::Real(&mut self.record_most)),
            ("record_soft", Place::Real(&mut self.record_soft)),
            ("drift_margin", Place::Real(&mut self.drift_margin)),
            ("residual_margin", Place::Real(&mut self.residual_margin)),
            ("hourly_margin", Place::Real(&mut self.hourly_margin)),
            ("record_scale", Place::Real(&mut self.record_scale)),
            ("fast", Place::Real(&mut self.fast)),
            ("slow", Place::Real(&mut self.slow)),
            ("season", Place::Real(&mut self.season)),
            ("error_most", Place::Real(&mut self.error_most)),
            ("least", Place::Real(&mut self.least)),
            ("refractory", Place::Count(&mut self.refractory)),
        ]
    }

    /// The names of all constants and their values.
    #[must_use]
    pub fn list(mut self) -> Vec<(&'static str, f64)> {
        self.places().iter().map(|(name, place)| (*name, place.get())).collect()
    }
}

/// Where a constant stands, by its type.
enum Place<'a> {
    Real(&'a mut f32),
    Count(&'a mut u16),
    Long(&'a mut u32),
}

impl Place<'_> {
    fn put(self, value: f64) {
        match self {
            Self::Real(place) => *place = value as f32,
            Self::Count(place) => *place = value.round().max(1.0) as u16,
            Self::Long(place) => *place = value.round().max(1.0) as u32,
        }
    }

    fn get(&self) -> f64 {
        match self {
            Self::Real(place) => f64::from(**place),
            Self::Count(place) => f64::from(**place),
            Self::Long(place) => f64::from(**place),
        }
    }
}
