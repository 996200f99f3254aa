fn main() {
    println!("{}", shared::greeting("api"));
}
