package load

// ephemeralPorts is how many there are where the system does not tell: RFC
// 6335 section 6.
const ephemeralPorts = 65535 - 49152 + 1
