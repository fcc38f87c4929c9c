//! Rule and settings files into checked values.
//! Pure: the texts are handed in, all mistakes come out at once.
