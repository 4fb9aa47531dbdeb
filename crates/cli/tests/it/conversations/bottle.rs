pub struct Bottle;
