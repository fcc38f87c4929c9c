//! Counts by class of which most are nothing: only the others take room.
//!
//! Deliberately no more than an array that forgets its zeros: every sum comes out as it would over the whole array, to
//! the last bit, because nothing is added where nothing is.

use serde::{Deserialize, Serialize};

/// Up to 32 counts, each a number or a few that belong together.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "(u32, Box<[T]>)")]
pub(crate) struct Sparse<T> {
    /// A bit for each class that has a count.
    classes: u32,
    /// These counts, in order of class.
    counts: Box<[T]>,
}

/// A stored form with another number of counts than of classes is damaged.
impl<T> TryFrom<(u32, Box<[T]>)> for Sparse<T> {
    type Error = &'static str;

    fn try_from((classes, counts): (u32, Box<[T]>)) -> Result<Self, Self::Error> {
        let fits = classes.count_ones() as usize == counts.len();
        if fits { Ok(Self { classes, counts }) } else { Err("it has another number of counts than of classes") }
    }
}

impl<T: Copy + Default> Sparse<T> {
    /// The count of a class.
    pub(crate) fn get(&self, class: usize) -> T {
        if self.has(class) { self.counts[self.place(class)] } else { T::default() }
    }

    /// The count of a class, to be changed.
    pub(crate) fn entry(&mut self, class: usize) -> &mut T {
        let place = self.place(class);
        if !self.has(class) {
            let mut counts = std::mem::take(&mut self.counts).into_vec();
            counts.reserve_exact(1);
            counts.insert(place, T::default());
            self.counts = counts.into_boxed_slice();
            self.classes |= 1 << class;
        }
        &mut self.counts[place]
    }

    /// All counts that there are, by class, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (usize, T)> {
        (0..32).filter(|&class| self.has(class)).zip(self.counts.iter().copied())
    }

    /// All counts that there are, to be changed.
    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.counts.iter_mut()
    }

    fn has(&self, class: usize) -> bool {
        self.classes >> class & 1 == 1
    }

    fn place(&self, class: usize) -> usize {
        (self.classes & ((1 << class) - 1)).count_ones() as usize
    }
}

impl Sparse<f32> {
    /// The sum of the counts from `class` on.
    pub(crate) fn sum_from(&self, class: usize) -> f32 {
        self.counts[self.place(class)..].iter().fold(0.0, |sum, count| sum + count)
    }
}

#[cfg(test)]
mod tests {
    use super::Sparse;

    #[test]
    fn it_counts_as_the_whole_array_does() {
        let (mut sparse, mut whole) = (Sparse::<f32>::default(), [0.0_f32; 16]);
        for class in [3, 15, 0, 3, 7, 15, 3] {
            *sparse.entry(class) += 0.1;
            whole[class] += 0.1;
            sparse.iter_mut().for_each(|count| *count *= 0.999);
            whole.iter_mut().for_each(|count| *count *= 0.999);
        }
        for class in 0..16 {
            assert_eq!(sparse.get(class).to_bits(), whole[class].to_bits());
            assert_eq!(sparse.sum_from(class).to_bits(), whole[class..].iter().sum::<f32>().to_bits());
        }
        assert_eq!(sparse.iter().map(|(class, _)| class).collect::<Vec<_>>(), [0, 3, 7, 15]);
    }
}
