/// Greets on behalf of a service.
pub fn greeting(service: &str) -> String {
    format!("hello from {service}")
}
