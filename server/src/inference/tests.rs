//! The pool with works that a test holds and lets go.

use super::*;
use std::sync::mpsc;

fn rules(workers: usize, queue: usize) -> config::Inference {
    config::Inference { workers, queue, max_wait_ms: 60_000, expected_ms: 1_000 }
}

/// A work that tells when it begins and goes on when it is let go.
fn held(
    pool: &Pool,
    name: u32,
    told: &mpsc::Sender<u32>,
) -> (mpsc::Sender<()>, tokio::task::JoinHandle<Result<u32, BrokeOff>>) {
    let (release, wait) = mpsc::channel();
    let (place, told) = (pool.reserve().unwrap(), told.clone());
    let work = tokio::spawn(place.run(move || {
        told.send(name).unwrap();
        wait.recv().unwrap();
        name
    }));
    (release, work)
}

async fn until(pool: &Pool, is: impl Fn(&Load) -> bool) {
    while !is(&pool.load()) {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn others_are_served_while_the_pool_is_full_and_the_next_are_told_how_long() {
    // One thread answers everybody here: a work that ran on it would stop this very test.
    let pool = Pool::start(&rules(1, 2));
    let (tell, _told) = mpsc::channel();
    let (first, one) = held(&pool, 1, &tell);
    until(&pool, |load| load.running == 1).await;
    let (second, two) = held(&pool, 2, &tell);
    let (third, three) = held(&pool, 3, &tell);
    until(&pool, |load| load.waiting == 2).await;
    assert_eq!(pool.reserve().unwrap_err(), Busy { after: Duration::from_secs(3) });
    assert_eq!(pool.load().refused, 1);
    for release in [first, second, third] {
        release.send(()).unwrap();
    }
    assert_eq!(
        (one.await.unwrap(), two.await.unwrap(), three.await.unwrap()),
        (Ok(1), Ok(2), Ok(3))
    );
    until(&pool, |load| load.running == 0).await;
    assert!(pool.reserve().is_ok());
}

#[tokio::test]
async fn works_begin_in_the_order_in_which_they_came() {
    let pool = Pool::start(&rules(1, 100));
    let (tell, told) = mpsc::channel();
    let mut works = Vec::new();
    for name in 0..50 {
        works.push(held(&pool, name, &tell));
        let begun_or_waiting = name as usize + 1;
        until(&pool, |load| load.running + load.waiting == begun_or_waiting).await;
        // The place has turned into work.
        tokio::task::yield_now().await;
    }
    for (release, work) in works {
        release.send(()).unwrap();
        work.await.unwrap().unwrap();
    }
    assert_eq!(told.try_iter().collect::<Vec<_>>(), (0..50).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_panic_is_an_error_and_frees_the_worker() {
    let pool = Pool::start(&rules(1, 4));
    for _ in 0..3 {
        let broken = pool.reserve().unwrap().run(|| -> u32 { panic!("a broken instrument") });
        assert_eq!(broken.await, Err(BrokeOff));
    }
    assert_eq!(pool.reserve().unwrap().run(|| 7).await, Ok(7));
    until(&pool, |load| (load.running, load.broken, load.done) == (0, 3, 1)).await;
}

#[tokio::test]
async fn a_place_that_is_given_back_is_free_and_work_nobody_awaits_is_not_begun() {
    let pool = Pool::start(&rules(1, 1));
    let (tell, told) = mpsc::channel();
    let (release, first) = held(&pool, 1, &tell);
    until(&pool, |load| load.running == 1).await;
    drop(pool.reserve().unwrap());
    let (_never, second) = held(&pool, 2, &tell);
    until(&pool, |load| load.waiting == 1).await;
    second.abort();
    assert!(second.await.unwrap_err().is_cancelled());
    release.send(()).unwrap();
    first.await.unwrap().unwrap();
    until(&pool, |load| load.running + load.waiting == 0).await;
    assert_eq!(told.try_iter().collect::<Vec<_>>(), [1]);
}

#[tokio::test]
async fn a_wait_longer_than_allowed_is_refused_before_the_queue_is_full() {
    let pool = Pool::start(&config::Inference { max_wait_ms: 1_500, ..rules(1, 100) });
    let (tell, _told) = mpsc::channel();
    let (release, first) = held(&pool, 1, &tell);
    until(&pool, |load| load.running == 1).await;
    let place = pool.reserve().unwrap();
    assert_eq!(pool.reserve().unwrap_err().after, Duration::from_secs(2));
    drop(place);
    release.send(()).unwrap();
    first.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_pool_without_workers_refuses_and_a_closed_one_breaks_off() {
    let none = Pool::start(&rules(1, 1));
    none.0.lock().workers = 0;
    assert!(none.reserve().is_err());
    let closed = Pool::start(&rules(1, 1));
    let place = closed.reserve().unwrap();
    drop(closed);
    assert_eq!(place.run(|| 1).await, Err(BrokeOff));
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn workers_give_way_to_threads_that_answer() {
    let nice = || rustix::process::getpriority_process(Some(rustix::thread::gettid())).unwrap();
    let pool = Pool::start(&rules(1, 2));
    let own = pool.reserve().unwrap().run(nice).await.unwrap();
    assert_eq!((own, nice()), ((nice() + NICE).min(19), nice()));
}
