package storage

// Dir is the folder that holds the data, empty for none.
func (s *Store) Dir() string {
	if s.log == nil {
		return ""
	}
	return s.log.dir
}

// Disk tells how many bytes of the folder's file system are in use, and how large it is;
// not ok for a store without a folder, and where the system doesn't tell.
func (s *Store) Disk() (used, total int64, ok bool) {
	if s.log == nil {
		return 0, 0, false
	}
	return diskOf(s.log.dir)
}
