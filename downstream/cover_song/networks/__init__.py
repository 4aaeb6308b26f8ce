"""Cover networks on CQT columns: CQT-Net, TPP-Net, Ki-Net."""
