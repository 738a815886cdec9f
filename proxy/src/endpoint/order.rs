//! The order in which endpoints are tried: that of the file; neighbours with a weight share the
//! load among them in proportion; what asked to be left alone for a while comes last.

/// Orders endpoints, given in the order of the file. `weight` tells the share of one that has one,
/// `resting` whether it asked to be left alone; `draw` makes a number below its argument.
pub(crate) fn order(
    indices: &mut [usize],
    weight: impl Fn(usize) -> Option<u32>,
    resting: impl Fn(usize) -> bool,
    mut draw: impl FnMut(u64) -> u64,
) {
    if indices.len() < 2 {
        return;
    }
    let mut start = 0;
    while start < indices.len() {
        let run = indices[start..]
            .iter()
            .take_while(|&&i| weight(i).is_some());
        let end = start + run.count();
        if end - start > 1 {
            shuffle(&mut indices[start..end], &weight, &mut draw);
        }
        start = end.max(start + 1);
    }
    if indices.iter().any(|&i| resting(i)) {
        indices.sort_by_key(|&i| resting(i));
    }
}

/// Each place is drawn from those that are left, in proportion to their weights.
fn shuffle(
    run: &mut [usize],
    weight: &impl Fn(usize) -> Option<u32>,
    draw: &mut impl FnMut(u64) -> u64,
) {
    let share = |i: usize| u64::from(weight(i).unwrap_or(1));
    for place in 0..run.len() - 1 {
        let total: u64 = run[place..].iter().map(|&i| share(i)).sum();
        let mut drawn = draw(total);
        let chosen = run[place..].iter().position(|&i| {
            let hit = drawn < share(i);
            drawn = drawn.saturating_sub(share(i));
            hit
        });
        let chosen = place + chosen.unwrap_or(0);
        run[place..=chosen].rotate_right(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_weights_the_order_is_the_files() {
        let mut indices = [4, 2, 7];
        order(&mut indices, |_| None, |_| false, |_| unreachable!());
        assert_eq!(indices, [4, 2, 7]);
    }

    #[test]
    fn what_rests_comes_last() {
        let mut indices = [0, 1, 2, 3];
        order(&mut indices, |_| None, |i| i % 2 == 0, |_| unreachable!());
        assert_eq!(indices, [1, 3, 0, 2]);
    }

    #[test]
    fn neighbours_share_in_proportion_and_nobody_else_moves() {
        let mut random = fastrand::Rng::with_seed(7);
        let weights = [None, Some(3), Some(1), None, Some(5)];
        let mut first = [0_u32; 5];
        for _ in 0..10_000 {
            let mut indices = [0, 1, 2, 3, 4];
            order(&mut indices, |i| weights[i], |_| false, |n| random.u64(..n));
            assert_eq!((indices[0], indices[3], indices[4]), (0, 3, 4));
            first[indices[1]] += 1;
        }
        let share = f64::from(first[1]) / 10_000.0;
        assert!((0.73..0.77).contains(&share), "{share} of 0.75");
        assert_eq!(first[1] + first[2], 10_000);
    }
}
